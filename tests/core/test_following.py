"""A sandbox that follows another one, row by row, as servers of one store follow each other."""

import datetime as dt
import json
from typing import Any

import pytest
from doubles.sandbox_client import Client
from doubles.sandbox_steps import STEPS, took

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
            list(self._changes.take())
            self._read_whole()
            return
        seen = self.sandbox.journal.seen
        exchanges = [
            (int(key), json.dumps(value))
            for _, key, value in self._leader.journal.rows()
            if key and int(key) > seen
        ]
        in_facts = {part for part, _, _ in self._leader.state.few_rows()}
        changed = [json.loads(json.dumps(row)) for row in self._changes.take()]
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
