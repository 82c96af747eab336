"""Worlds: a sandbox as a file to share, without its secrets."""

import datetime as dt
import json
from typing import Any

import pytest
from doubles.sandbox_client import NOW, Client

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.worlds import World

KEY = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}
WEBHOOK = {"url": "http://127.0.0.1:9/hooks", "webhookType": "PRODUCER_AGREEMENT_EXECUTED"}
OPTIONS = Options(
    envelope="top_level",
    token_ttl=dt.timedelta(seconds=90.5),
    webhook_secret="my-own-webhook-secret-123",
)


def busy(options: Options) -> Client:
    """A client of a sandbox that has every kind of secret."""
    client = Client(Sandbox(options, name="busy"))
    sandbox = client.sandbox
    client.bearer = sandbox.tokens.issue(sandbox.client).text
    sandbox.seed("small_agency")
    sandbox.credentials.rotate(sandbox.client, overlap=dt.timedelta(hours=1))
    sandbox.credentials.issue_restricted(allowed=["127.0.0.1"])
    client.invite(KEY)
    client.post("/v1/webhooks", WEBHOOK)
    client.ask_for_token(secret="a-wrong-secret-0123456789")
    sandbox.faults.add("*", status=503, headers={"authorization": "Bearer canary-0123456789"})
    sandbox.execute_agreement(next(iter(sandbox.associations)))
    assert len(sandbox.outbox) == 1
    return client


def secrets_of(sandbox: Sandbox) -> list[str]:
    """All that must be in no file."""
    state = sandbox.snapshot()
    return [
        *(token["text"] for token in state["tokens"]),
        *(client["client_secret"] for client in state["credentials"]["clients"]),
        *(client["previous_secret"] for client in state["credentials"]["clients"]),
        *(row["token"] for row in state["credentials"]["restricted"]),
        *(endpoint["secret"] for endpoint in state["outbox"]["endpoints"]),
        "canary-0123456789",
        "my-own-webhook-secret-123",
        state["randomness"]["seed"],
    ]


def loaded(text: str) -> Sandbox:
    """A sandbox that has loaded a file."""
    world = World.read(text.encode())
    sandbox = Sandbox(world.options, name="another")
    world.load_into(sandbox)
    return sandbox


def test_file_has_no_secret_and_no_seed() -> None:
    """Nor parts of them; and secrets can be made from the seed."""
    sandbox = busy(OPTIONS).sandbox
    text = World.of(sandbox).to_json()
    assert [secret for secret in secrets_of(sandbox) if secret in text] == []
    assert not json.loads(text)["with_secrets"]


@pytest.mark.parametrize("options", [Options(), OPTIONS])
def test_loading_one_issues_new_credentials(options: Options) -> None:
    """With them everything is as it was: records, rate windows, idempotency keys, the outbox."""
    client = busy(options)
    again = Client(loaded(World.of(client.sandbox).to_json()))
    old, new = client.sandbox, again.sandbox
    assert new.options.envelope == options.envelope
    assert new.options.token_ttl == options.token_ttl
    assert new.client.client_id != old.client.client_id
    assert [agent.key for agent in new.agents] == [agent.key for agent in old.agents]
    assert new.limits.allowance("write", new.client.client_id).used == 2
    assert [one.webhook_type for one in new.outbox.endpoints] == [WEBHOOK["webhookType"]]
    assert len(new.outbox) == 1
    assert len(new.journal) == len(old.journal)
    assert again.ask_for_token(old.client.client_id, old.client.client_secret).status == 503
    assert again.ask_for_token(old.client.client_id, old.client.client_secret).status == 401
    assert again.ask_for_token().status == 201
    again.bearer = new.tokens.issue(new.client).text
    assert again.invite(KEY).status == 201
    assert "sent again" in new.journal[-1].notes[0]
    assert not {one.key for one in old.agents} & {new.agents.add().key}


def test_file_with_secrets_keeps_them() -> None:
    """Tokens included."""
    client = busy(OPTIONS)
    again = Client(loaded(World.of(client.sandbox, with_secrets=True).to_json()))
    again.bearer = client.bearer
    assert again.sandbox.snapshot()["tokens"] == client.sandbox.snapshot()["tokens"]
    assert again.sandbox.options == OPTIONS
    assert again.sandbox.client == client.sandbox.client


def test_moment_is_that_of_the_file() -> None:
    """A file that is loaded years later goes on where it was."""
    sandbox = Sandbox()
    sandbox.clock.move_to(NOW)
    agent = sandbox.agents.add()
    again = loaded(World.of(sandbox).to_json())
    assert dt.timedelta(0) <= again.clock.now() - NOW < dt.timedelta(minutes=5)
    assert again.agents.get(agent.key) == agent


def test_same_test_gives_other_ids() -> None:
    """A sandbox with the seed of the file's makes none of its ids or secrets again."""
    first = Sandbox(name="one test")
    ids = {first.agents.add().key for _ in range(3)}
    world = World.read(World.of(first).to_json().encode())
    second = Sandbox(name="one test")
    world.load_into(second)
    assert second.client.client_secret != first.client.client_secret
    assert second.agents.add().key not in ids


def document() -> dict[str, Any]:
    """The content of a file."""
    content: dict[str, Any] = json.loads(World.of(Sandbox()).to_json())
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "x"}, "not a world"),
        ({"more": 1}, "not a whole world: missing or unknown: 'more'"),
        ({"at": "yesterday"}, "'at' is not a moment"),
        ({"at": 5}, "'at' is not a moment"),
        ({"with_secrets": 1}, "'about' or 'with_secrets'"),
        ({"about": None}, "'about' or 'with_secrets'"),
        ({"options": []}, "'options' is not an object"),
        ({"options": {"envelop": "data"}}, "no turris option 'envelop'; did you mean 'envelope'"),
        ({"options": {"token_ttl": "x"}}, "not a whole world"),
        ({"options": {"token_ttl": 1e300}}, "not a whole world"),
        ({"state": {"version": 3}}, r"a snapshot of version 3, from a newer pytest-turris"),
        ({"state": {"version": 2}}, "not a whole snapshot: clock: Field required"),
        ({"state": None}, "not a snapshot"),
    ],
)
def test_what_is_no_whole_world_is_refused(change: dict[str, Any], message: str) -> None:
    """With the reason, before anything is made of it."""
    with pytest.raises(SnapshotError, match=message):
        World.read(json.dumps(document() | change).encode())


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    """Nor does depth or encoding raise anything else."""
    with pytest.raises(SnapshotError, match=r"^not (JSON|a world)"):
        World.read(content)


def test_unwhole_state_changes_nothing() -> None:
    """What only a sandbox can see is refused when the file is loaded."""
    content = document()
    content["state"]["client"] = "nobody"
    sandbox = Sandbox()
    before = sandbox.snapshot()
    with pytest.raises(SnapshotError, match="nobody"):
        World.read(json.dumps(content).encode()).load_into(sandbox)
    assert sandbox.snapshot() == before


def test_a_long_file_is_searched_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece is whole lines, so that the same is masked."""
    world = World.of(busy(OPTIONS).sandbox)
    whole = world.to_json()
    monkeypatch.setattr("pytest_turris.core.worlds._PIECE", 1)
    assert world.to_json() == whole
