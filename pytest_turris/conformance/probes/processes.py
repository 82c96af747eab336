"""Clients that are carried into other processes by a fork, as pre-forking servers do."""

import contextlib
import json
import os
import select
import signal
import threading
import warnings
from collections.abc import Callable, Iterator

from pytest_turris.conformance.driver import Flow, attempt, deep
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.faults.hostile.raw import RawAnswer, as_bytes
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.process.steady_clock import steady_time

_CHILDREN = 4
_PATIENCE = 3.0
_OVERLAP = 0.3
_MOST = 65_536


@probe("TC-44")
def forked(lab: Lab) -> Flow[None]:
    """Four processes are forked from an idle client, and four in the middle of its refresh."""
    if not hasattr(os, "fork"):
        lab.unobserved("this system has no fork")
    if lab.has_loop:
        lab.unobserved("an event loop is not carried into another process: give a sync client")
    yield from lab.warm()
    with _slow_answers(lab):
        answers = _fork_all(lab)
    failed = [answer for answer in answers if answer]
    _require_none_hangs(lab, answers, "from an idle client")
    lab.require(
        not failed,
        f"{len(failed)} of {_CHILDREN} processes forked from an idle client failed: "
        f"{''.join(failed[:1])}",
    )
    lab.outlive()
    with _refreshing(lab):
        _require_none_hangs(lab, _fork_all(lab), "while another thread got a token")


def _require_none_hangs(lab: Lab, answers: list[str | None], when: str) -> None:
    hung = answers.count(None)
    lab.require(not hung, f"{hung} of {_CHILDREN} processes forked {when} hang in their call")


def _fork_all(lab: Lab) -> list[str | None]:
    """What came of the call in each child: nothing if all is well, words, or None if it hangs."""

    def call() -> str:
        outcome = attempt(lab.subject.call, lab.sandbox.clock.now)
        return str(outcome) if outcome.error else ""

    children = [_fork(call) for _ in range(_CHILDREN)]
    end = steady_time() + _PATIENCE
    return [_outcome(child, pipe, end) for child, pipe in children]


def _fork(work: Callable[[], str]) -> tuple[int, int]:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork: that is the point
        child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    # The child: nothing of the test run may go on here, whatever happens.
    try:
        os.write(writing, json.dumps(work()).encode()[:_MOST])
    finally:
        os._exit(0)


def _outcome(child: int, pipe: int, end: float) -> str | None:
    try:
        ready, _, _ = select.select([pipe], [], [], max(0.0, end - steady_time()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            return None
        told = os.read(pipe, _MOST)
        return str(json.loads(told)) if told else "the process ended without a word"
    finally:
        os.close(pipe)
        os.waitpid(child, 0)


@contextlib.contextmanager
def _slow_answers(lab: Lab) -> Iterator[None]:
    """Over a socket, answers that wait for all children to have asked: one to a connection."""

    def delay(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if lab.sightings[-1].in_process:
            return response
        raise RawAnswer([_OVERLAP, as_bytes(response)])

    with lab.intercepting(delay):
        yield


@contextlib.contextmanager
def _refreshing(lab: Lab) -> Iterator[None]:
    """A thread of the client waits for its token while the context is open."""
    first, asked, go_on = threading.Lock(), threading.Event(), threading.Event()
    silence = RawAnswer([_PATIENCE + 1.0])

    def hold(request: Request, handle: Handle) -> Response:
        if (request.method, request.path) == TOKEN_REQUEST and first.acquire(blocking=False):
            asked.set()
            if not lab.sightings[-1].in_process:
                raise silence  # to wait here would keep the server from answering the children
            go_on.wait(_PATIENCE + 1)
        return handle(request)

    def call() -> None:
        deep(lambda: attempt(lab.subject.call, lab.sandbox.clock.now))

    with lab.intercepting(hold):
        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        while thread.is_alive() and not asked.wait(0.01):
            pass  # a client that does not refresh comes back without
        try:
            yield
        finally:
            go_on.set()
            silence.stopped = True
            thread.join(_PATIENCE)
