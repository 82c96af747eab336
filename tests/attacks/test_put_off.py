"""WH-90 on receivers that answer before they work: what was accepted is never sent again."""

import contextlib
from typing import Any

import pytest
from doubles.attack_harness import context_for
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp, StatusInbox

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.families import put_off, replay
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.findings.verdict import Verdict

Entries = list[tuple[str, dict[str, Any]]]


class Worker(StatusInbox):
    """Accepts, and works when the test looks: it stores each webhook until its work is done.

    Each entry makes several rows, as receivers do that write an audit log.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.queue: dict[str, Entries] = {}
        self.done: set[str] = set()

    def act_once(self, digest: str, entries: Entries) -> int:
        if digest not in self.done:
            self.queue[digest] = entries
        return 202

    def work(self) -> None:
        """Do what there is to do; what fails stays."""
        for digest in list(self.queue):
            with contextlib.suppress(RuntimeError):
                self.do(digest, self.queue[digest])
                del self.queue[digest]

    def do(self, digest: str, entries: Entries) -> None:
        """The work itself."""
        for name, entry in entries:
            for table in ("entries", "audit"):
                self.backend.act(f"{table} {digest} {name}", entry)
        self.done.add(digest)


class WorksWithTheNext(Worker):
    """Tries again only when another webhook comes."""

    failed = False

    def act_once(self, digest: str, entries: Entries) -> int:
        self.failed = False
        return super().act_once(digest, entries)

    def work(self) -> None:
        if not self.failed:
            super().work()
            self.failed = bool(self.queue)


class Forgets(Worker):
    """Holds each webhook in memory, for one try."""

    def work(self) -> None:
        super().work()
        self.queue.clear()


class Remembers(Worker):
    """Remembers each webhook, and does not try it again in the test's time."""

    def work(self) -> None:
        new = {digest: self.queue[digest] for digest in self.queue if digest not in self.done}
        super().work()
        self.done |= set(new)
        self.queue.clear()


def resent(inbox_class: type[Worker], monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """WH-90 on a receiver whose worker runs whenever effects are counted."""
    # What never comes need not be waited for.
    monkeypatch.setattr(replay, "OUTAGE", 0.1)
    monkeypatch.setattr(put_off, "OUTAGE", 0.1)
    monkeypatch.setattr(put_off, "_NEXT_TRY", 0.1)
    app_class = type("App", (ReceiverApp,), {"inbox_class": inbox_class})
    backend = Backend()
    app = app_class([KEY], backend)

    def effects() -> int:
        app.inbox.work()
        return backend.effects()

    receiver = Receiver(app, "/webhooks", effects=effects)
    return run_attack(find_attack("WH-90"), receiver, context_for(backend, app_class))


@pytest.mark.parametrize("inbox_class", [Worker, WorksWithTheNext])
def test_queue_that_tries_again_passes(
    inbox_class: type[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may try again after a while, or with the next webhook, and need not be sent it again."""
    verdict = resent(inbox_class, monkeypatch)
    assert verdict.outcome == "passed", str(verdict)


def test_work_in_memory_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows one webhook makes, those of the next one do not stand for its own."""
    verdict = resent(Forgets, monkeypatch)
    assert verdict.outcome == "failed"
    assert [finding.kind for finding in verdict.findings] == ["effects"]
    assert "done when it was sent again" in verdict.findings[0].got
    assert "nothing sends it again" in verdict.findings[0].why


def test_what_is_not_tried_in_time_is_not_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that is known, and not done, may be lost or may be tried again later."""
    verdict = resent(Remembers, monkeypatch)
    assert verdict.outcome == "not observed"
    assert "Let the queue try again sooner" in verdict.reason
