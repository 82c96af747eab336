"""Snapshots: exact, complete, and refused if broken."""

import copy
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from doubles.sandbox_client import NOW, Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_turris.core.sandbox import Sandbox, SnapshotError
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Response

KEY = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}
AGENTS = "/v1/agents"
Step = Callable[[Client], object]


def fail(client: Client) -> Response | None:
    """A call that a fault may leave without an answer."""
    try:
        return client.get(AGENTS)
    except ConnectionFailure:
        return None


def remove_one(sandbox: Sandbox) -> None:
    """Remove the first agent, if there is one."""
    for agent in list(sandbox.agents)[:1]:
        sandbox.agents.remove(agent)


STEPS: dict[str, Step] = {
    "token": lambda c: c.ask_for_token(),
    "wrong secret": lambda c: c.ask_for_token(secret="wrong"),
    "list": fail,
    "unknown path": lambda c: c.get("/nowhere?token=canary-0123456789"),
    "create": lambda c: c.post(AGENTS, {"npn": "1", "email": "a@example.com"}),
    "invalid": lambda c: c.post(AGENTS, {"npn": 5}),
    "invite": lambda c: c.invite(),
    "invite by key": lambda c: c.invite(KEY),
    "add agent": lambda c: c.sandbox.agents.add(),
    "add agent at an agency": lambda c: c.sandbox.agents.add(
        downstream_entity_association_id=c.sandbox.associations.add().id
    ),
    "add license": lambda c: c.sandbox.licenses.add(npn="1"),
    "remove": lambda c: remove_one(c.sandbox),
    "pass time": lambda c: c.sandbox.clock.advance(seconds=20.000_001),
    "pass an hour": lambda c: c.sandbox.clock.advance(hours=1),
    "go back": lambda c: c.sandbox.clock.move_to(NOW - dt.timedelta(days=1)),
    "fault": lambda c: str(c.sandbox.faults.add("*", status=503, delay=0.25, headers={"a": "b"})),
    "reset": lambda c: str(c.sandbox.faults.add("list_agents", error="reset", times=None)),
    "rotate": lambda c: c.sandbox.credentials.rotate(
        c.sandbox.client, overlap=dt.timedelta(seconds=30)
    ),
    "issue": lambda c: c.sandbox.credentials.issue(permissions=["read"]),
    "restricted": lambda c: c.sandbox.credentials.issue_restricted(allowed=["10.0.0.0/8", "::1"]),
    "revoke": lambda c: c.sandbox.credentials.revoke(c.sandbox.credentials.issue()),
    "revoke tokens": lambda c: c.sandbox.tokens.revoke_all(),
    "exhaust": lambda c: c.sandbox.limits.exhaust("write"),
    "forget": lambda c: c.sandbox.idempotency.forget(),
}


def took(client: Client, names: list[str]) -> list[object]:
    """The results of the steps, one after the other; a broken connection as its text."""
    results: list[object] = []
    for name in names:
        try:
            results.append(STEPS[name](client))
        except ConnectionFailure as failure:
            results.append(str(failure))
    return results


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
    with pytest.raises(SnapshotError, match=r"^a snapshot of version .*; this sandbox reads 1$"):
        busy.restore(snapshot)  # type: ignore[arg-type] # what is refused
    assert busy.snapshot() == before


def test_a_clock_beyond_all_calendars_is_refused(busy: Sandbox) -> None:
    """A number of the right type may still be out of range."""
    before = busy.snapshot()
    with pytest.raises(SnapshotError, match=r"^not a whole snapshot: OverflowError"):
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
    with pytest.raises(SnapshotError, match=r"^not a whole snapshot: TypeError"):
        busy.restore(before | hole)
    assert busy.snapshot() == before
