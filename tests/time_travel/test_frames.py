"""The stacks of other threads: reading them never hangs or crashes the interpreter."""

import asyncio
import gc
import os
import selectors
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.callers import Callers
from pytest_turris.time_travel.threads import Threads
from pytest_turris.time_travel.watching.frames import frames_of_threads, reads_stacks, uncollected

DEPTH = 200
AT_ITS_EDGES = 4
"""The phases of the collections that may be before and after."""

LOOKS = 20
"""How often a thread is looked at: so long at one place, it would be taken for one that waits."""

only_3_11 = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="reading a stack collects nothing there"
)


@contextmanager
def deep_stack() -> Iterator[int]:
    """A thread that waits deep in its calls: for each call, reading makes an object."""
    waits, ends = threading.Event(), threading.Event()

    def call(depth: int) -> None:
        if depth:
            call(depth - 1)
        else:
            waits.set()
            ends.wait()

    thread = threading.Thread(target=call, args=(DEPTH,))
    thread.start()
    waits.wait()
    try:
        yield thread.ident or 0
    finally:
        ends.set()
        thread.join()


@contextmanager
def collecting_always() -> Iterator[list[str]]:
    """The phases of garbage collections, which begin with nearly each new object."""
    seen: list[str] = []
    before = gc.get_threshold()

    def note(phase: str, _: object) -> None:
        seen.append(phase)

    gc.callbacks.append(note)
    gc.set_threshold(1)
    try:
        yield seen
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(note)


@only_3_11
def test_nothing_is_collected_while_a_stack_is_read() -> None:
    """A collection in the middle may run the thread whose stack is read."""
    with deep_stack() as ident:
        frame = frames_of_threads()[ident]
        with collecting_always() as seen:
            Callers().kind(frame)
            assert len(seen) <= AT_ITS_EDGES


@only_3_11
def test_nothing_is_collected_while_the_threads_are_listed() -> None:
    """A collection in the middle may wait for a thread that starts, which waits for the list."""
    with ExitStack() as stacks:
        idents = [stacks.enter_context(deep_stack()) for _ in range(20)]
        with collecting_always() as seen:
            found = frames_of_threads()
            assert len(seen) <= AT_ITS_EDGES
        assert found.keys() >= set(idents)


def test_the_choice_of_others_stays() -> None:
    """A program that has switched the collector off finds it off; errors change nothing."""

    @uncollected
    def read(*, fails: bool) -> bool:
        if fails:
            raise LookupError
        return gc.isenabled()

    gc.disable()
    try:
        assert not read(fails=False)
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(LookupError):
        read(fails=True)
    assert gc.isenabled()


@contextmanager
def reading() -> Iterator[tuple[threading.Thread, threading.Event]]:
    """A thread in the middle of reading a stack, and what lets it go on."""
    reads, goes_on = threading.Event(), threading.Event()

    @uncollected
    def read() -> None:
        reads.set()
        goes_on.wait()

    thread = threading.Thread(target=read)
    thread.start()
    reads.wait()
    try:
        yield thread, goes_on
    finally:
        goes_on.set()
        thread.join()


@only_3_11
def test_two_threads_that_read_leave_in_any_order() -> None:
    """The collector stays off until the last one is done, whoever switched it off."""
    with reading() as (first, first_goes_on), reading():
        first_goes_on.set()
        first.join()
        assert not gc.isenabled()
        frames_of_threads()
        assert not gc.isenabled()
    assert gc.isenabled()


@only_3_11
def test_a_thread_that_reads_is_at_work() -> None:
    """It may wait for another that reads, and goes on at once."""
    with reading() as (thread, _):
        threads = Threads(Callers(), time.sleep)
        for _ in range(LOOKS):
            assert not threads.all_wait(but=threading.get_ident())
            time.sleep(0.002)
        assert reads_stacks(thread.ident or 0)
    assert not reads_stacks(thread.ident or 0)


@only_3_11
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_collects_and_can_read() -> None:
    """The thread that read is not in it, and would never be done."""
    with reading():
        child = os.fork()
        if not child:
            is_right = False
            try:
                found = frames_of_threads().keys()
                is_right = found == {threading.get_ident()} and gc.isenabled()
            finally:
                os._exit(0 if is_right else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_process_with_one_thread_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """It need not wait for another, and asks for no stack."""

    def fail() -> None:
        raise AssertionError

    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr("pytest_turris.time_travel.threads.frames_of_threads", fail)
    threads = Threads(Callers(), time.sleep)
    assert threads.all_wait(but=0)
    threads.settle(but=0)


class _Watched(selectors.SelectSelector):
    """Notes what the stack belongs to each time that its loop looks for something to do."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[str] = []

    def select(self, timeout: float | None = None) -> Any:
        """As documented."""
        self.kinds.append(Callers().kind(sys._getframe(1)))
        return super().select(timeout)


@pytest.mark.usefixtures("turris_time")
def test_a_loop_between_two_tasks_counts() -> None:
    """Nothing of the code under test is on its stack then, and its next task may end a wait."""

    async def turns() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    selector = _Watched()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        thread = threading.Thread(target=runner.run, args=(turns(),))
        thread.start()
        thread.join()
        assert set(selector.kinds) == {"client"}


class _OwnTime(asyncio.SelectorEventLoop):
    def time(self) -> float:
        """The real time."""
        return steady_time()


@pytest.mark.usefixtures("turris_time")
def test_a_loop_with_a_clock_of_its_own_does_not_count() -> None:
    """Such as that of a server in the same process: it does not say when it is idle."""
    selector = _Watched()
    with asyncio.Runner(loop_factory=lambda: _OwnTime(selector)) as runner:
        thread = threading.Thread(target=runner.run, args=(asyncio.sleep(0),))
        thread.start()
        thread.join()
        assert set(selector.kinds) == {"idle"}
