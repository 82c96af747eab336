"""Snapshots: exact, complete, and refused if broken."""

import copy
import dataclasses
import datetime as dt
import json
import subprocess
import sys
from typing import Any

import pytest
from doubles.sandbox_client import Client
from doubles.sandbox_steps import STEPS, took
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_turris.core.access.credential import ApiClient, RestrictedAccessToken
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.faults.fault import Fault
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.outbox.attempts import Attempt
from pytest_turris.core.outbox.deliveries import Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots import models
from pytest_turris.core.snapshots.errors import SnapshotError


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.lists(st.sampled_from(sorted(STEPS)), max_size=25),
    after=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=8),
)
def test_a_sandbox_goes_on_from_a_snapshot(before: list[str], after: list[str]) -> None:
    """Through JSON into a new sandbox: the same state, and the same responses from there on."""
    first = Client(Sandbox(name="first"))
    first.token()
    took(first, before)
    state = first.sandbox.snapshot()
    second = Client(Sandbox(name="second"))
    second.bearer = first.bearer
    second.sandbox.restore(json.loads(json.dumps(state)))
    assert second.sandbox.snapshot() == state
    assert took(second, after) == took(first, after)
    assert second.sandbox.snapshot() == first.sandbox.snapshot()


@pytest.fixture
def busy() -> Sandbox:
    """A sandbox in which each kind of state is there."""
    client = Client(Sandbox(name="busy"))
    client.token()
    took(client, ["add agent at an agency", "add license", "invite by key", "restricted"])
    took(client, ["rotate", "exhaust", "fault", "pass time", "list"])
    return client.sandbox


def test_a_snapshot_is_json(busy: Sandbox) -> None:
    """What comes back from JSON is equal to what went in: no tuple, no date, no number lost."""
    state = busy.snapshot()
    assert json.loads(json.dumps(state)) == state


def test_a_snapshot_is_a_copy(busy: Sandbox) -> None:
    """What happens later does not change it."""
    state = busy.snapshot()
    before = copy.deepcopy(state)
    busy.agents.add()
    busy.clock.advance(seconds=1)
    busy.tokens.revoke_all()
    assert state == before


def test_a_restored_sandbox_does_not_share_its_snapshot(busy: Sandbox) -> None:
    """One snapshot may be restored into many sandboxes."""
    state = busy.snapshot()
    before = copy.deepcopy(state)
    sandbox = Sandbox()
    sandbox.restore(state)
    took(Client(sandbox), ["add agent", "fault", "list", "pass an hour"])
    assert state == before


def test_the_client_is_restored(busy: Sandbox) -> None:
    """``client`` is the snapshot's; credentials from before are unknown."""
    sandbox = Sandbox()
    old = sandbox.client
    sandbox.restore(busy.snapshot())
    assert sandbox.client == busy.client
    assert sandbox.upstream_entity_id == busy.upstream_entity_id
    client = Client(sandbox)
    assert client.ask_for_token(old.client_id, old.client_secret).status == 401


@pytest.mark.parametrize("snapshot", [None, 5, "x", [], [1], {}, {"version": 0}, {"version": "1"}])
def test_another_version_is_refused(busy: Sandbox, snapshot: object) -> None:
    """Data that is not a snapshot, or is of another version, changes nothing."""
    before = busy.snapshot()
    with pytest.raises(SnapshotError, match=r"^not a snapshot: "):
        busy.restore(snapshot)  # type: ignore[arg-type] # what is refused
    assert busy.snapshot() == before


def test_a_newer_version_is_refused() -> None:
    """The text says what to install."""
    with pytest.raises(SnapshotError, match=r"version 3, from a newer .* reads 1 to 2\. Fix: "):
        Sandbox().restore({"version": 3})


def test_an_older_version_is_migrated(busy: Sandbox) -> None:
    """Version 1 did not count attempts to deliver webhooks, nor faults. It stays as it is."""
    state = busy.snapshot()
    counted = state["outbox"] | {"attempted": len(state["outbox"]["attempts"])}
    older = state | {"version": 1, "outbox": copy.deepcopy(state["outbox"])}
    del older["outbox"]["attempted"], older["faults_made"]
    sandbox = Sandbox()
    sandbox.restore(older)
    assert sandbox.snapshot() == state | {"outbox": counted}
    assert "attempted" not in older["outbox"]


def test_the_number_of_a_removed_fault_is_not_given_again() -> None:
    """A fault that is scripted after a restore has a number of its own."""
    sandbox = Sandbox()
    sandbox.faults.add("*", status=503)
    sandbox.faults.clear()
    other = Sandbox()
    other.restore(sandbox.snapshot())
    assert other.faults.add("*", status=503).number == 2


@pytest.mark.parametrize("outbox", [None, [], {"attempts": 5}])
def test_an_older_version_may_be_broken_too(outbox: object) -> None:
    """What cannot be migrated is refused like any broken snapshot."""
    with pytest.raises(SnapshotError, match=r"^not a whole snapshot: outbox"):
        Sandbox().restore(Sandbox().snapshot() | {"version": 1, "outbox": outbox})


@pytest.mark.parametrize(
    ("part", "row", "message"),
    [
        ("tokens", {"revoked": "no"}, "tokens.0.revoked: Input should be a valid boolean"),
        ("tokens", {"issued_at": "yesterday"}, "tokens.0.issued_at: must be a moment in ISO 8601"),
        ("tokens", {"expires_at": "2025-01-01"}, "tokens.0.expires_at: must be a moment"),
        ("tokens", {"more": 1}, "tokens.0.more: Extra inputs are not permitted"),
        ("faults", {"delay": float("nan")}, "faults.0.delay: Input should be a finite number"),
        ("tokens", {"issued_at": "9999-12-31T23:59:59-14:00"}, "tokens.0.issued_at: must be a mom"),
        ("tokens", {"issued_at": "0001-01-01T00:00:00+00:00"}, "tokens.0.issued_at: must be a mom"),
        ("tokens", {"jti": "\ud800"}, "tokens.0.jti: "),
        ("faults", {"hostile": "AR-27"}, "faults.0.hostile: must be a hostile answer with its"),
        ("faults", {"hostile": "no such"}, "faults.0.hostile: must be a hostile answer"),
        ("faults", {"headers": {"a": "\ud800"}}, "faults.0.headers.a: "),
        ("faults", {"status": True}, "faults.0.status: Input should be a valid integer"),
    ],
)
def test_each_row_fits_its_model(
    busy: Sandbox, part: str, row: dict[str, Any], message: str
) -> None:
    """A value of another type is refused at once, with its place and without the value."""
    busy.faults.add("*", status=503)
    snapshot = busy.snapshot()
    snapshot[part][0] |= row
    with pytest.raises(SnapshotError, match=message):
        Sandbox().restore(snapshot)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        (ApiClient, models.ClientPart),
        (RestrictedAccessToken, models.RestrictedPart),
        (AccessToken, models.TokenPart),
        (Fault, models.FaultPart),
        (Exchange, models.ExchangePart),
        (Endpoint, models.EndpointPart),
        (Delivery, models.DeliveryPart),
        (Attempt, models.AttemptPart),
    ],
)
def test_models_have_all_members(kind: type, model: type[models.StatePart]) -> None:
    """Each member of the state is in its model; a later one has a default, for older snapshots."""
    assert {field.name for field in dataclasses.fields(kind)} == model.model_fields.keys()


@pytest.mark.parametrize(
    ("collection", "change", "message"),
    [
        ("agents", {"npn": "\udfff"}, "entity.agents.0.npn: JSON has no form for this value"),
        ("npns", {"members": {"a": [float("nan")]}}, "entity.npns.1.members.a.0: JSON has no form"),
        ("npns", {"members": {"\ud800": 1}}, "entity.npns.1.members: JSON has no form"),
        ("uploads", {"rows": [{"policyNumber": "1"}]}, "entity.uploads.0: each of its rows must"),
    ],
)
def test_a_record_can_be_sent(
    busy: Sandbox, collection: str, change: dict[str, Any], message: str
) -> None:
    """What would fail when it is sent, stored or processed is refused at once, with its place."""
    busy.npns.add(npn="1")
    busy.uploads.enqueue([])
    snapshot = busy.snapshot()
    snapshot["entity"][collection][-1] |= change
    if collection == "agents":
        snapshot["entity"][collection] = snapshot["entity"][collection][-1:]
    with pytest.raises(SnapshotError, match=f"^not a whole snapshot: {message}"):
        Sandbox().restore(snapshot)


def test_ids_are_ids(busy: Sandbox) -> None:
    """Those of the entity and of a webhook are in answers, whose form is documented."""
    busy.outbox.register("https://example.com/", "PRODUCER_AGREEMENT_EXECUTED", busy.clock.now())
    for place in ("entity", "outbox"):
        snapshot = busy.snapshot()
        owner = snapshot["entity"] if place == "entity" else snapshot["outbox"]["endpoints"][0]
        owner["id"] = "x"
        with pytest.raises(SnapshotError, match=rf"{place}\S*\.id: must be an id of 24 hex"):
            Sandbox().restore(snapshot)


def test_a_moment_in_another_zone_is_one_in_utc(busy: Sandbox) -> None:
    """Its calendar may end before the one of UTC."""
    snapshot = busy.snapshot()
    name, last = snapshot["client"], "9999-12-31T23:59:59+14:00"
    snapshot["limits"] = [["token", name, [last]], ["write", name, [last]]]
    sandbox = Sandbox()
    sandbox.restore(snapshot)
    sandbox.clock.move_to(dt.datetime.fromisoformat(last))
    assert sandbox.limits.allowance("token").used == 1
    assert sandbox.limits.allowance("write").resets_at > dt.datetime.fromisoformat(last)


def test_a_record_fits_its_model(busy: Sandbox) -> None:
    """Unknown members would be lost, so they are refused as well."""
    for change in ({"more": 1}, {"agent": 5}):
        snapshot = busy.snapshot()
        snapshot["entity"]["agents"][0] |= change
        with pytest.raises(SnapshotError, match=r"^not a whole snapshot: AgentEntry"):
            Sandbox().restore(snapshot)


def test_restores_while_the_time_is_frozen() -> None:
    """The models are first built then: under freezegun, no model with dates could be."""
    code = (
        "import freezegun, json\n"
        "from pytest_turris import Sandbox\n"
        "with freezegun.freeze_time('2025-01-01'):\n"
        "    Sandbox().restore(json.loads(json.dumps(Sandbox().snapshot())))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=200)


def test_a_clock_beyond_all_calendars_is_refused(busy: Sandbox) -> None:
    """A number of the right type may still be out of range."""
    before = busy.snapshot()
    with pytest.raises(SnapshotError, match=r"^not a whole snapshot: "):
        busy.restore(before | {"clock": {"offset_us": 10**30}})
    assert busy.snapshot() == before


PARTS = tuple(part for part in Sandbox().snapshot() if part != "version")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("broken", ["missing", None, [[1]], {"x": 1}])
def test_a_broken_snapshot_changes_nothing(busy: Sandbox, part: str, broken: object) -> None:
    """A part that is missing or of another shape is refused, and nothing is changed."""
    before, agents, client = busy.snapshot(), list(busy.agents), busy.client
    snapshot = Sandbox(name="other").snapshot()
    snapshot[part] = broken
    if broken == "missing":
        del snapshot[part]
    with pytest.raises(SnapshotError, match=r"^not a whole snapshot: "):
        busy.restore(snapshot)
    assert busy.snapshot() == before
    assert [mine is theirs for mine, theirs in zip(busy.agents, agents, strict=True)] == [True]
    assert busy.client is client


@pytest.mark.parametrize(
    ("part", "member"),
    [
        (part, member)
        for part, value in Sandbox().snapshot().items()
        if isinstance(value, dict)
        for member in value
    ],
)
def test_a_snapshot_with_a_hole_changes_nothing(busy: Sandbox, part: str, member: str) -> None:
    """The same where a member of a part is missing."""
    before = busy.snapshot()
    snapshot = Sandbox(name="other").snapshot()
    del snapshot[part][member]
    with pytest.raises(SnapshotError, match=r"^not a whole snapshot: "):
        busy.restore(snapshot)
    assert busy.snapshot() == before


@pytest.mark.parametrize(
    "hole",
    [{"journal": {"seen": None, "exchanges": []}}, {"randomness": {"seed": "", "drawn": None}}],
)
def test_a_counter_is_a_number(busy: Sandbox, hole: dict[str, Any]) -> None:
    """A count that is ``null`` is refused at once, not when it is next incremented."""
    before = busy.snapshot()
    with pytest.raises(
        SnapshotError, match=r"whole snapshot: (journal.seen|randomness.drawn): Input"
    ):
        busy.restore(before | hole)
    assert busy.snapshot() == before


def test_a_state_without_webhooks_makes_no_outbox() -> None:
    """What it has then is what a new outbox would have, in each form of the state."""
    unused, used = Sandbox(), Sandbox()
    assert used._outbox is not None
    assert unused.snapshot()["outbox"] == used.snapshot()["outbox"]
    assert list(unused.state.rows()) == list(used.state.rows())
    unused.restore(unused.snapshot())
    assert "_outbox" not in vars(unused)


def test_an_outbox_that_is_made_later_notes_its_changes() -> None:
    """A store that keeps the state writes the first webhook, too."""
    sandbox = Sandbox()
    changes = sandbox.state.note_changes()
    sandbox.outbox.register(
        "https://example.com/", "PRODUCER_AGREEMENT_EXECUTED", sandbox.clock.now()
    )
    parts = [part for part, _, _ in changes.take()]
    assert "outbox.endpoints" in parts
