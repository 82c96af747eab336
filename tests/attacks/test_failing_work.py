"""A hook that is to make the work fail, and does not, shows nothing about the receiver."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from doubles.attack_harness import attack_in_process, context_for
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.families import put_off
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack

IDS = ["WH-90", "WH-93", "WH-94"]


@contextlib.contextmanager
def without_effect(_mode: str) -> Iterator[None]:
    """A hook that does not reach the receiver."""
    yield


@pytest.mark.parametrize("id_", IDS)
def test_work_that_does_not_fail_is_not_observed(id_: str) -> None:
    """A webhook that is done as usual accuses no receiver, and passes none."""
    verdict = attack_in_process(id_, ReceiverApp, failing_work=without_effect)
    assert verdict.outcome == "not observed", str(verdict)
    assert verdict.reason == put_off.DID_NOT_FAIL


def test_acceptance_alone_does_not_show_that_work_did_not_fail() -> None:
    """A queue may accept while its work fails: without effects that is not seen."""
    verdict = attack_in_process("WH-90", ReceiverApp, observed=False, failing_work=without_effect)
    assert verdict.outcome == "not observed", str(verdict)
    assert verdict.reason == put_off.MAY_NOT_HAVE_FAILED


class Queues(ReceiverApp):
    """Accepts at once, and works when the test looks; it keeps what fails."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.queue: list[tuple[list[tuple[str, str]], bytes]] = []

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        if not self.inbox.is_authentic([dict(lines).get("X-TURRIS-SIGNATURE", "")], body):
            return 401, b""
        self.queue.append((lines, body))
        return 202, b""

    def work(self) -> int:
        """Do what there is to do, unless it is slow, and count what is done."""
        for entry in [] if self.backend.mode == "slow" else list(self.queue):
            if super().receive(*entry)[0] != 500:
                self.queue.remove(entry)
        return self.backend.effects()


@pytest.mark.parametrize("id_", ["WH-93", "WH-94"])
def test_queue_whose_work_fails_passes(id_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is accepted at once, and done once the work no longer fails, is right."""
    monkeypatch.setattr(put_off, "OUTAGE", 0.1)
    backend = Backend()
    app = Queues([KEY], backend)
    receiver = Receiver(app, "/webhooks", effects=app.work)
    verdict = run_attack(find_attack(id_), receiver, context_for(backend, Queues))
    assert verdict.outcome == "passed", f"{verdict} {verdict.reason}"
