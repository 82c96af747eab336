"""Changes: the rows that a store would write give the state, whatever happens."""

import contextlib
from typing import Any

import pytest
from doubles.sandbox_client import Client
from doubles.sandbox_steps import STEPS, took
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from pytest_turris.core.options import Options
from pytest_turris.core.outbox import attempts, queue
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.rows import snapshot_from

OPTIONS = Options(webhook_retries="stripe", webhook_disable_after=1)


class Kept:
    """The rows of a sandbox, kept up to date from its changes alone."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._changes = sandbox.state.note_changes()
        self.rows: dict[tuple[str, str], Any] = {}
        self._read_all()

    def _read_all(self) -> None:
        self.rows = {(part, key): value for part, key, value in self._sandbox.state.rows()}

    def update(self) -> None:
        """Take the changes, as JSON."""
        if self._changes.is_everything:  # what was noted may have been taken back
            self._changes.take()
            self._read_all()
        for part, key, value in self._changes.take():
            if value is None:
                self.rows.pop((part, key), None)
            else:
                self.rows[part, key] = from_json(to_json(value, by_alias=False))
        journal = self._sandbox.journal.rows()
        for part, key, value in (*self._sandbox.state.few_rows(), *journal):
            self.rows[part, key] = value

    def snapshot(self) -> dict[str, Any]:
        """The state that these rows give."""
        return snapshot_from((part, key, value) for (part, key), value in self.rows.items())


def in_any_order(snapshot: dict[str, Any]) -> dict[str, Any]:
    """A snapshot without the order of rows where it means nothing: what waits, what is watched."""
    outbox, entity = snapshot["outbox"], snapshot["entity"]
    waiting = sorted(outbox["waiting"], key=lambda row: int(row["number"]))
    return snapshot | {
        "outbox": outbox | {"waiting": waiting},
        "entity": entity | {"watch": sorted(entity["watch"])},
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=25))
def test_changed_rows_are_all_that_changed(steps: list[str]) -> None:
    """After each step, the rows give the snapshot, byte for byte, and load like one."""
    client = Client(Sandbox(OPTIONS))
    kept = Kept(client.sandbox)
    client.token()
    for step in steps:
        took(client, [step])
        kept.update()
        assert in_any_order(kept.snapshot()) == in_any_order(client.sandbox.snapshot()), step
    Sandbox(OPTIONS).restore(kept.snapshot())


def test_each_step_changes_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps in their order, and what is no longer kept is gone."""
    for module in (attempts, queue):
        monkeypatch.setattr(module, "KEPT", 4)
    monkeypatch.setattr("pytest_turris.core.access.tokens._PRUNE_ABOVE", 2)
    client = Client(Sandbox(Options(webhook_debounce=OPTIONS.token_ttl / 120)))
    kept = Kept(client.sandbox)
    client.token()
    for _ in range(2):
        for step in STEPS:
            took(client, ["webhook", step, "pass time", "deliver"])
            kept.update()
            assert in_any_order(kept.snapshot()) == in_any_order(client.sandbox.snapshot()), step


def test_nothing_is_noted_twice() -> None:
    """A read changes no row; a change is noted once."""
    client = Client(Sandbox())
    changes = client.sandbox.state.note_changes()
    client.token()
    list(changes.take())
    client.get("/v1/agents")
    assert not changes
    agent = client.sandbox.agents.add()
    assert changes
    assert ("entity.agents", agent.key) in {(part, key) for part, key, _ in changes.take()}
    assert not changes


@pytest.mark.parametrize("done", [[], ["add agent", "webhook"]])
def test_what_is_taken_back_is_no_change(done: list[str]) -> None:
    """Whatever was noted before or meanwhile, the rows give the state as it is then."""
    client = Client(Sandbox(OPTIONS))
    kept = Kept(client.sandbox)
    took(client, done)

    def change() -> None:
        took(client, ["add agent", "token", "webhook"])
        raise ZeroDivisionError

    with contextlib.suppress(ZeroDivisionError):
        client.sandbox.undo.run(change)
    kept.update()
    assert in_any_order(kept.snapshot()) == in_any_order(client.sandbox.snapshot())
    assert len(client.sandbox.agents) == done.count("add agent")


def test_what_was_noted_of_a_replaced_state_is_not_read() -> None:
    """Its rows may be gone: the rate windows and the watched agents of before, for example."""
    client = Client(Sandbox(OPTIONS))
    changes = client.sandbox.state.note_changes()
    client.token()
    took(client, sorted(STEPS))
    assert changes
    client.sandbox.restore(Sandbox(OPTIONS).snapshot())
    assert not list(changes.take())
    assert not changes
