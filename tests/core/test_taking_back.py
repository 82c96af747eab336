"""A change that ends with an exception is taken back, whatever it was."""

import contextlib
from typing import Any

import pytest
from doubles.sandbox_client import Client
from doubles.sandbox_steps import STEPS, took

from pytest_turris.core.options import Options
from pytest_turris.core.outbox import attempts, queue
from pytest_turris.core.sandbox import Sandbox

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
        with contextlib.suppress(_Ended), sandbox.undo:
            took(client, [step, "agreement", "deliver"])
            raise _Ended
        assert state(sandbox) == before, step
        client.bearer = bearer
        took(client, [step, "deliver"])
