"""WH-90 on receivers that answer before they work: what was accepted is never sent again."""

import contextlib
from typing import Any

import pytest
from doubles.attack_harness import context_for
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp, StatusInbox
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.families import failing_work, put_off
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


class Raises(Remembers):
    """Works after its answer, and lets the error of its work leave the application."""

    def work(self) -> None:
        """Nothing is left to be done."""

    def do_now(self) -> None:
        """Do what came, once."""
        for digest in list(self.queue):
            entries = self.queue.pop(digest)
            self.done.add(digest)
            self.do(digest, entries)


def app_of(inbox_class: type[Worker]) -> type[ReceiverApp]:
    """A WSGI application over an inbox."""
    return type("App", (ReceiverApp,), {"inbox_class": inbox_class})


def resent(target: Any, app: ReceiverApp, settle: Any = None) -> Verdict:
    """WH-90 on a receiver whose worker runs whenever effects are counted."""
    backend = app.backend

    def effects() -> int:
        app.inbox.work()  # type: ignore[attr-defined]  # it is a Worker
        return backend.effects()

    receiver = Receiver(target, "/webhooks", effects=effects, settle=settle)
    return run_attack(find_attack("WH-90"), receiver, context_for(backend, type(app)))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes need not be waited for."""
    monkeypatch.setattr(failing_work, "OUTAGE", 0.1)
    monkeypatch.setattr(put_off, "OUTAGE", 0.1)
    monkeypatch.setattr(put_off, "_NEXT_TRY", 0.1)


@pytest.mark.parametrize("inbox_class", [Worker, WorksWithTheNext])
def test_queue_that_tries_again_passes(inbox_class: type[Worker]) -> None:
    """It may try again after a while, or with the next webhook, and need not be sent it again."""
    app = app_of(inbox_class)([KEY], Backend())
    verdict = resent(app, app)
    assert verdict.outcome == "passed", str(verdict)


def test_work_in_memory_is_lost() -> None:
    """However many rows one webhook makes, those of the next one do not stand for its own."""
    app = app_of(Forgets)([KEY], Backend())
    verdict = resent(app, app)
    assert verdict.outcome == "failed"
    assert [finding.kind for finding in verdict.findings] == ["effects"]
    assert "done when it was sent again" in verdict.findings[0].got
    assert "nothing sends it again" in verdict.findings[0].why


def test_what_is_not_tried_in_time_is_not_observed() -> None:
    """A webhook that is known, and not done, may be lost or may be tried again later."""
    app = app_of(Remembers)([KEY], Backend())
    verdict = resent(app, app)
    assert verdict.outcome == "not observed"
    assert "Let the queue try again sooner" in verdict.reason


def test_what_a_quiet_receiver_has_not_done_is_lost() -> None:
    """Where the test says when the receiver is quiet, nothing comes later."""
    app = app_of(Remembers)([KEY], Backend())
    verdict = resent(app, app, settle=lambda: None)
    assert verdict.outcome == "failed"
    assert "not even when it was sent again" in verdict.findings[0].got
    assert "let it try again sooner" in verdict.findings[0].fix


def test_error_that_leaves_the_application_ends_the_work() -> None:
    """A background task of Starlette raises after the answer, and nothing runs it again."""
    backend = Backend()
    app = app_of(Raises)([KEY], backend)

    async def webhook(request: Request) -> Response:
        status = app.inbox.receive(request.headers.items(), await request.body())
        return Response(status_code=status, background=BackgroundTask(app.inbox.do_now))  # type: ignore[attr-defined]  # it is a Worker

    starlette = Starlette(routes=[Route("/webhooks", webhook, methods=["POST"])])
    verdict = resent(starlette, app)
    assert verdict.outcome == "failed"
    assert "not even when it was sent again" in verdict.findings[0].got
