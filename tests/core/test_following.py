"""A sandbox that follows another one, row by row, as servers of one store follow each other."""

import datetime as dt
import json
from typing import Any

import pytest
from doubles.sandbox_client import Client
from doubles.sandbox_steps import STEPS, took
from pydantic_core import to_json

from mock_server.store.leases import Leases
from pytest_turris.core.options import Options
from pytest_turris.core.outbox import attempts, queue
from pytest_turris.core.sandbox import Sandbox

OPTIONS = Options(webhook_retries="stripe", webhook_disable_after=1)


class Follower:
    """A second sandbox, kept equal to the first one by its changed rows alone."""

    def __init__(self, leader: Sandbox) -> None:
        self._leader = leader
        self._changes = leader.state.note_changes()
        self.sandbox = Sandbox(leader.options)
        self._read_whole()

    def _read_whole(self) -> None:
        facts = json.loads(json.dumps(self._leader.shared_facts()))
        self.sandbox.follow_whole(self._leader.snapshot(), facts)

    def update(self) -> None:
        """Take over what changed, as JSON."""
        if self._changes.is_everything:
            self._changes.take()
            self._read_whole()
            return
        seen = self.sandbox.journal.seen
        exchanges = [
            (int(key), json.dumps(value))
            for _, key, value in self._leader.journal.rows()
            if key and int(key) > seen
        ]
        in_facts = {part for part, _, _ in self._leader.state.few_rows()}
        changed = json.loads(to_json(list(self._changes.take()), by_alias=False))
        rows = [(part, key, value) for part, key, value in changed if part not in in_facts]
        facts = json.loads(json.dumps(self._leader.shared_facts()))
        self.sandbox.follow(facts, rows, exchanges)


def state(sandbox: Sandbox) -> dict[str, Any]:
    """The state without the order of rows where it means nothing."""
    found = sandbox.snapshot()
    del found["entity"]["settled_at"]
    found["entity"]["watch"].sort()
    found["outbox"]["waiting"].sort(key=lambda row: row["number"])
    return found


def test_each_step_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps in their order, what is no longer kept included."""
    for module in (attempts, queue):
        monkeypatch.setattr(module, "KEPT", 4)
    monkeypatch.setattr("pytest_turris.core.access.tokens._PRUNE_ABOVE", 2)
    leader = Client(Sandbox(Options(webhook_debounce=OPTIONS.token_ttl / 120)))
    follower = Follower(leader.sandbox)
    leader.token()
    for step in STEPS:
        took(leader, ["webhook", step, "pass time", "deliver"])
        follower.update()
        assert state(follower.sandbox) == state(leader.sandbox), step


def test_which_client_is_the_sandboxes_own_is_taken_over() -> None:
    """Another one may be chosen where the sandbox is; limits without a credential count on it."""
    leader = Sandbox(OPTIONS)
    follower = Follower(leader)
    leader.client = leader.credentials.issue()
    follower.update()
    own = leader.client.client_id
    assert follower.sandbox.client.client_id == own
    assert follower.sandbox.limits.default_credential == own


def test_what_a_sandbox_sends_now_it_goes_on_to_send() -> None:
    """It reads the whole state in between; another one's removals end its flights."""
    leader = Client(Sandbox(OPTIONS))
    took(leader, ["webhook", "test event"])
    follower = Follower(leader.sandbox)
    outbox, now = follower.sandbox.outbox, follower.sandbox.clock.now()
    sent = outbox.pop_delivery(now)
    assert sent is not None
    follower._read_whole()
    assert [one.number for one in outbox.in_flight] == [sent.number]
    assert outbox.pop_delivery(now + dt.timedelta(days=1)) is not sent
    took(leader, ["deliver"])
    follower.update()
    assert sent.number not in [one.number for one in outbox.in_flight]


def pair(*steps: str) -> tuple[Client, Follower]:
    """A leader that took steps, and its follower."""
    leader = Client(Sandbox(OPTIONS))
    took(leader, list(steps))
    return leader, Follower(leader.sandbox)


def test_expired_tokens_are_forgotten_by_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next token that is issued replaces them."""
    monkeypatch.setattr("pytest_turris.core.access.tokens._PRUNE_ABOVE", 2)
    leader, follower = pair("token", "token")
    assert len(list(follower.sandbox.tokens)) == 2
    took(leader, ["pass an hour", "token"])
    follower.update()
    assert list(follower.sandbox.tokens) == list(leader.sandbox.tokens)
    assert len(list(follower.sandbox.tokens)) == 1


def test_compliance_is_unknown_to_both_while_it_is_fetched() -> None:
    """Once the clock went back, nothing is known of an agent whose NIPR data has not come."""
    leader, follower = pair("expiring")
    (agent,) = leader.sandbox.agents
    assert agent.key in [owner for owner, _ in state(follower.sandbox)["entity"]["watch"]]
    leader.sandbox.agents.update(agent, npn="99999999")
    took(leader, ["go back"])
    leader.sandbox.settle()
    follower.update()
    assert state(follower.sandbox) == state(leader.sandbox)
    assert agent.key not in [owner for owner, _ in state(follower.sandbox)["entity"]["watch"]]


def test_known_npns_are_those_of_both() -> None:
    """Those that were registered, and those that were removed."""
    leader, follower = pair()
    kept, gone = (leader.sandbox.npns.add(npn=npn) for npn in ("12345678", "87654321"))
    follower.update()
    assert len(follower.sandbox.npns) == 2
    leader.sandbox.npns.remove(gone)
    follower.update()
    assert list(follower.sandbox.npns) == [kept]


def test_a_rotation_elsewhere_changes_the_client_that_others_hold() -> None:
    """Who is told of it finds the new secret at the sandbox, as an environment file does."""
    leader, follower = pair()
    client, told = follower.sandbox.client, list[tuple[str, str]]()
    follower.sandbox.credentials.on_rotate = lambda rotated: told.append(
        (rotated.client_secret, follower.sandbox.client.client_secret)
    )
    took(leader, ["rotate"])
    follower.update()
    assert told == [(leader.sandbox.client.client_secret,) * 2]
    assert follower.sandbox.client is client
    assert client == leader.sandbox.client


def test_an_exchange_elsewhere_has_the_same_line() -> None:
    """Redacted, and with its reason."""
    leader, follower = pair()
    took(leader, ["wrong secret", "unknown path"])
    follower.update()
    line = follower.sandbox.journal.last_line
    assert line == leader.sandbox.journal.last_line
    assert "/nowhere?token=***" in line
    assert "canary" not in line


def test_more_is_settled_at_once_than_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came and went between two looks was never known here."""
    for module in (attempts, queue):
        monkeypatch.setattr(module, "KEPT", 2)
    leader, follower = pair("webhook")
    took(leader, ["test event", "give up", "give up"] * 3)
    follower.update()
    assert [one.number for one in follower.sandbox.outbox] == [5, 6]
    assert state(follower.sandbox) == state(leader.sandbox)


def test_what_another_one_settled_is_not_in_flight() -> None:
    """The whole state, which is read then, no longer has it among those that wait."""
    leader, follower = pair("webhook", "test event")
    outbox = follower.sandbox.outbox
    assert outbox.pop_delivery(follower.sandbox.clock.now()) is not None
    took(leader, ["deliver"])
    follower._read_whole()
    assert outbox.in_flight == ()
    assert [one.state for one in outbox] == ["delivered"] * 2


@pytest.mark.parametrize("reads_whole", [True, False])
@pytest.mark.parametrize("has_sent", [True, False])
def test_what_another_one_failed_to_send_waits_here_too(
    *, reads_whole: bool, has_sent: bool
) -> None:
    """The claim ended while it was in flight here: it waits for the retry, as it does there."""
    leader, follower = pair("webhook", "test event")
    took(leader, ["remove webhook", "give up"])  # the removed one's
    follower.update()
    outbox, claims = follower.sandbox.outbox, Leases("the follower", 60)
    outbox.claims = claims
    taken = outbox.pop_delivery(follower.sandbox.clock.now())
    assert taken is not None
    claims.restore({})
    took(leader, ["fail to deliver"])
    follower._read_whole() if reads_whole else follower.update()
    assert [one.number for one in outbox.in_flight] == [taken.number]
    if has_sent:
        (attempt,) = leader.sandbox.outbox.attempts
        outbox.record(taken, attempt)
    else:
        assert not outbox.still_sends(taken, by_hand=False)
    assert outbox.in_flight == ()
    assert state(follower.sandbox) == state(leader.sandbox)
    assert follower.sandbox.next_due() == leader.sandbox.next_due()
