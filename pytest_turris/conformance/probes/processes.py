"""TC-44: clients that a fork copies into other processes, as pre-forking servers do."""

import contextlib
import json
import os
import select
import signal
import threading
import warnings
from collections.abc import Callable, Iterator

from pytest_turris.conformance.driver import ProbeSteps, attempt, in_deeper_frame
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.faults.hostile.raw import RawAnswer, as_bytes
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.process.system_calls import waits_for_itself

PROCESSES = RuleFamily()

_CHILDREN = 4
_TIMEOUT = 3.0
_LOOK = 0.01
_SURE = 3
"""How often in a row a process has to wait for itself."""

_OVERLAP = 0.3
_MOST = 65_536


@PROCESSES.rule(
    "TC-44",
    "Forked workers do not deadlock",
    does="Forks four processes from an idle client, and four in the middle of its refresh.",
    why="Workers of a pre-forking server hang at their first call, and only in production.",
    fix="After a fork, make a new lock and a new connection: compare os.getpid() before each call.",
    usual_bug="the fork copies a lock or a connection that is in use",
    source="editor-code-assistant issue 462",
    level="should",
    needs="a sync client",
)
def _forked(harness: ClientHarness) -> ProbeSteps[None]:
    if not hasattr(os, "fork"):  # pragma: no cover - the tests run on POSIX
        harness.not_applicable("this system has no fork")
    if harness.has_loop:
        harness.not_applicable("a fork does not copy an event loop: give a sync client")
    yield from harness.get_first_token()
    with _slow_answers(harness):
        answers = _fork_all(harness)
    failed = [answer for answer in answers if answer]
    _require_none_hangs(harness, answers, "from an idle client")
    harness.require(
        not failed,
        f"{len(failed)} of {_CHILDREN} processes forked from an idle client failed: "
        f"{''.join(failed[:1])}",
    )
    yield from harness.past_expiry()
    with _refreshing(harness):
        _require_none_hangs(harness, _fork_all(harness), "while another thread got a token")


def _require_none_hangs(harness: ClientHarness, answers: list[str | None], when: str) -> None:
    hung = answers.count(None)
    harness.require(not hung, f"{hung} of {_CHILDREN} processes forked {when} hang in their call")


def _fork_all(harness: ClientHarness) -> list[str | None]:
    """The result of the call in each child: empty if it succeeded, an error, None if it hangs."""

    def call() -> str:  # pragma: no cover - runs in the children
        result = attempt(harness.client.call, harness.sandbox.clock.now)
        return str(result) if result.error else ""

    children = [_fork(call) for _ in range(_CHILDREN)]
    end = steady_time() + _TIMEOUT
    return [_result(child, pipe, end) for child, pipe in children]


def _fork(work: Callable[[], str]) -> tuple[int, int]:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork: that is the point
        child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    # The child must not go on with the test run, whatever happens.
    try:  # pragma: no cover - no measurement in the child: it ends without a clean-up
        os.write(writing, json.dumps(work()).encode()[:_MOST])
    finally:  # pragma: no cover - as above
        os._exit(0)


def _result(child: int, pipe: int, end: float) -> str | None:
    try:
        if not _is_ready(child, pipe, end):
            os.kill(child, signal.SIGKILL)
            return None
        text = os.read(pipe, _MOST)
        return str(json.loads(text)) if text else "the process ended without a result"
    finally:
        os.close(pipe)
        os.waitpid(child, 0)


def _is_ready(child: int, pipe: int, end: float) -> bool:
    """Wait for a result as long as there may be one: a deadlock is seen at once on Linux."""
    stuck = 0
    while stuck < _SURE:
        ready, _, _ = select.select([pipe], [], [], min(_LOOK, max(0.0, end - steady_time())))
        if ready:
            return True
        if steady_time() >= end:
            return False
        stuck = stuck + 1 if waits_for_itself(child) else 0
    return False


@contextlib.contextmanager
def _slow_answers(harness: ClientHarness) -> Iterator[None]:
    """Over a socket, answers that wait until all children have asked.

    Children that share one connection then get each other's answers.
    """

    def delay(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if harness.requests[-1].in_process:  # pragma: no cover - seen by the children alone
            return response
        raise RawAnswer([_OVERLAP, as_bytes(response)])

    with harness.intercepting(delay):
        yield


@contextlib.contextmanager
def _refreshing(harness: ClientHarness) -> Iterator[None]:
    """A thread of the client waits for its token while the context is open."""
    first, asked, go_on = threading.Lock(), threading.Event(), threading.Event()
    silence = RawAnswer([_TIMEOUT + 1.0])

    def hold(request: Request, handle: Handle) -> Response:
        if request.is_token_request and first.acquire(blocking=False):
            asked.set()
            if not harness.requests[-1].in_process:
                raise silence  # to wait here would keep the server from answering the children
            go_on.wait(_TIMEOUT + 1)
        return handle(request)

    def call() -> None:
        in_deeper_frame(lambda: attempt(harness.client.call, harness.sandbox.clock.now))
        asked.set()  # by a client that needed no token

    with harness.intercepting(hold):
        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        asked.wait(_TIMEOUT)
        try:
            yield
        finally:
            go_on.set()
            silence.stopped = True
            thread.join(_TIMEOUT)
