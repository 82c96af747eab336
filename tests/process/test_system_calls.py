"""What other processes wait for, as Linux shows it."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.process.system_calls import FUTEX, system_call_of, waits_for_itself

pytestmark = pytest.mark.skipif(
    not FUTEX or not system_call_of(threading.get_native_id()), reason="the system does not show it"
)


def takes_twice() -> None:
    """Wait for a lock that nothing can release."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def takes_for_a_minute() -> None:
    """Wait for it, with a limit."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=60)


def sleeps() -> None:
    """Sleep."""
    time.sleep(60)


def waits_for_a_thread() -> None:
    """Wait for a lock that another thread may release."""
    lock = threading.Lock()
    lock.acquire()
    threading.Thread(target=sleeps, daemon=True).start()
    lock.acquire()


def waits_for_another_process() -> None:
    """Wait for a lock that any process may release that has it, too."""
    lock = multiprocessing.Lock()
    lock.acquire()
    lock.acquire()


@contextmanager
def forked(work: Callable[[], None]) -> Iterator[int]:
    """A process that does such work, and is ended afterwards."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_process_without_hope_is_known() -> None:
    """It holds what it waits for, and has no other thread."""
    with forked(takes_twice) as child:
        end = steady_time() + 60
        while not waits_for_itself(child):
            assert steady_time() < end
            time.sleep(0.005)


@pytest.mark.parametrize(
    "work", [takes_for_a_minute, sleeps, waits_for_a_thread, waits_for_another_process]
)
def test_a_process_with_hope_is_known(work: Callable[[], None]) -> None:
    """A limit, the clock, another thread or another process may let it go on."""
    with forked(work) as child:
        for _ in range(60):
            if waits_for_itself(child):
                # Before its thread has started, it waits for that.
                time.sleep(0.2)
                assert not waits_for_itself(child)
            time.sleep(0.005)


def test_a_process_that_is_not_there_waits_for_nothing() -> None:
    """As one that ended just now."""
    assert not waits_for_itself(2**22 + 1)
