"""A change that ends with an exception is taken back, whatever it was."""

import contextlib
import datetime as dt
from collections import deque
from typing import Any

import pytest
from doubles.sandbox_client import NOW, Client
from doubles.sandbox_steps import STEPS, took

from pytest_turris.core.entity.schedule import Schedule
from pytest_turris.core.options import Options
from pytest_turris.core.outbox import attempts, queue
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.undo import Undo

OF_THE_WHOLE = {"go back", "pass time", "pass an hour", "go on from a snapshot"}
"""Steps that move the clock, or replace the state: no change of it."""


class _Ended(Exception):  # noqa: N818 - no error of the sandbox
    """What ends the change."""


def state(sandbox: Sandbox) -> dict[str, Any]:
    """The state without the order of rows where it means nothing, and without bytes."""
    found = sandbox.snapshot()
    found["entity"]["watch"].sort()
    found["outbox"]["waiting"].sort(key=lambda row: row["number"])
    for row in (*found["outbox"]["waiting"], *found["outbox"]["settled"]):
        del row["body"], row["headers"]  # the step writes them, as a sender does
    return found


def test_each_step_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends with an exception leaves what was before; without one, it is done."""
    for module in (attempts, queue):
        monkeypatch.setattr(module, "KEPT", 4)
    client = Client(Sandbox(Options(webhook_retries="stripe", journal_limit=5)))
    sandbox = client.sandbox
    client.token()
    for step in sorted(STEPS.keys() - OF_THE_WHOLE):
        took(client, ["webhook", "pass time"])
        before, bearer = state(sandbox), client.bearer

        def change(step: str = step) -> None:
            took(client, [step, "agreement", "deliver"])
            raise _Ended

        with contextlib.suppress(_Ended):
            sandbox.undo.run(change)
        assert state(sandbox) == before, step
        client.bearer = bearer
        took(client, [step, "deliver"])


def test_options_are_taken_back() -> None:
    """Those of the outbox too, which keeps some in another form."""
    sandbox = Sandbox(Options(webhook_retries="stripe"))
    before, schedule = sandbox.options.replaced(), sandbox.outbox.schedule

    def change() -> None:
        sandbox.change_options(Options(webhook_retries="svix", token_ttl=dt.timedelta(minutes=5)))
        assert sandbox.outbox.schedule != schedule
        raise _Ended

    with contextlib.suppress(_Ended):
        sandbox.undo.run(change)
    assert sandbox.options == before
    assert sandbox.outbox.schedule == schedule


class Things:
    """Something with state of each kind that an ``Undo`` can note."""

    def __init__(self) -> None:
        self.undo = Undo()
        self.mapping = {"a": 1}
        self.number = 1
        self.listed = [1]
        self.kept = deque([1, 2], maxlen=2)

    def note(self) -> None:
        """Note all of it before a change."""
        self.undo.item(self.mapping, "a")
        self.undo.attributes(self, "number")
        self.undo.copies(self, "listed")
        self.undo.last(self.kept, 3)

    def change(self) -> None:
        """Change all of it."""
        self.mapping["a"] = 2
        self.number = 2
        self.listed.append(2)
        self.kept.append(3)

    def facts(self) -> tuple[Any, ...]:
        """What there is."""
        return dict(self.mapping), self.number, list(self.listed), list(self.kept)


@pytest.mark.parametrize("is_made", [True, False])
def test_a_noted_change_is_taken_back_or_was_not_made(*, is_made: bool) -> None:
    """An exception between the note and the change leaves what was before, too."""
    things = Things()
    before = things.facts()

    def change() -> None:
        things.note()
        if is_made:
            things.change()
        raise _Ended

    with contextlib.suppress(_Ended):
        things.undo.run(change)
    assert things.facts() == before


def test_what_was_changed_outside_of_a_block_stays() -> None:
    """Nothing is noted there, and so a later exception takes nothing of it back."""
    things = Things()
    things.note()
    things.change()
    after = things.facts()

    def change() -> None:
        raise _Ended

    with contextlib.suppress(_Ended):
        things.undo.run(change)
    assert things.facts() == after


def test_an_entry_that_was_added_and_carried_out_elsewhere_is_not_scheduled() -> None:
    """Taking it back finds nothing to remove."""
    undo = Undo()
    schedule = Schedule(undo)

    def change() -> None:
        schedule.add(NOW, "sync is done", "a key")
        schedule.drop_until(NOW)
        raise _Ended

    with contextlib.suppress(_Ended):
        undo.run(change)
    assert schedule.first is None
