"""Waits for the end of a thread, and of what else runs beside the test."""

import _thread
import datetime as dt
import signal
import threading
import time
from types import FrameType

import httpx
import pytest
from doubles.heartbeat import Heartbeat

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.blocking import real_sleep
from pytest_turris.time_travel.sleeps import SleptTooLongError
from pytest_turris.time_travel.travel import TimeTravel

SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)
pytestmark = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)


def work(seconds: float) -> None:
    """Be busy for real seconds."""
    end = steady_time() + seconds
    while steady_time() < end:
        pass


def sleeping(seconds: float) -> threading.Thread:
    """A thread that sleeps."""
    thread = threading.Thread(target=time.sleep, args=(seconds,), daemon=True)
    thread.start()
    return thread


def test_join_that_does_not_wait(engine: str, turris_time: TimeTravel) -> None:
    """A timeout of 0, or below, only looks."""
    before, thread = turris_time.now, sleeping(100)
    thread.join(timeout=0)
    thread.join(timeout=-1)
    assert (thread.is_alive(), turris_time.now) == (True, before)


@pytest.mark.parametrize(
    ("timeout", "ended"), [(40, (True, 40)), (400, (False, 100)), (None, (False, 100))]
)
def test_thread_that_joins_another_goes_on_at_its_moment(
    engine: str, timeout: float | None, ended: tuple[bool, int], turris_time: TimeTravel
) -> None:
    """In the background too, ``join`` ends with the thread or its timeout, on the way of a move."""
    before, seen = turris_time.now, list[tuple[bool, dt.timedelta]]()
    thread = sleeping(100)

    def join() -> None:
        thread.join(timeout)
        seen.append((thread.is_alive(), turris_time.now - before))

    threading.Thread(target=join, daemon=True).start()
    work(0.02)
    turris_time.advance(minutes=5)
    is_alive, seconds = ended
    assert seen == [(is_alive, seconds * SECOND)]


@pytest.mark.parametrize("timeout", [None, 900])
def test_thread_that_is_about_to_end(
    engine: str,
    timeout: float | None,
    turris_time: TimeTravel,
) -> None:
    """A thread that is in no list any more, but not gone yet, ends ``join`` before a move."""
    before, ends = turris_time.now, list[bool]()
    heart = Heartbeat(lambda: time.sleep(300))

    class Ending(threading.Thread):
        def _delete(self) -> None:
            super()._delete()  # type: ignore[misc] # of threading
            ends.append(True)
            real_sleep(0.05)

    thread = Ending(target=int)
    thread.start()
    while not ends:
        work(0.001)
    thread.join(timeout)
    assert (thread.is_alive(), turris_time.now) == (False, before)
    heart.stopped = True


def test_join_beyond_every_bound_is_refused(engine: str, turris_time: TimeTravel) -> None:
    """A timeout of thirty years, for a thread that does not end, is an error where it is."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    with pytest.raises(SleptTooLongError, match=r"^Thread\.join\(1e\+09\) in .*test_joins.*ten y"):
        thread.join(timeout=1e9)
    over.set()
    thread.join()


def test_wait_beyond_every_bound_is_refused(engine: str, turris_time: TimeTravel) -> None:
    """The same for an event that nothing sets; a wait that a budget allows passes."""
    turris_time.limit_sleeps(10 * MINUTE)
    assert not threading.Event().wait(599)
    with pytest.raises(SleptTooLongError, match=r"^Event\.wait\(2\) in .*more than 0:10:00 in tot"):
        threading.Event().wait(2)
    assert [str(sleep).partition(" at ")[0] for sleep in turris_time.sleeps] == ["Event.wait(599)"]


def test_thread_that_waits_inside_the_sandbox(
    engine: str, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A call that waits for its turn waits for nothing that the clock brings: time stands."""
    before, held, answered = turris_time.now, threading.Event(), list[dt.datetime]()

    def hold() -> None:
        with turris.lock:
            held.set()
            real_sleep(0.2)

    def call() -> None:
        httpx.get(f"{turris.base_url}/.well-known/jwks.json")
        answered.append(turris_time.now)

    _thread.start_new_thread(hold, ())
    held.wait()
    heart = Heartbeat(lambda: time.sleep(30))
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert (answered, turris_time.now) == ([before], before)
    heart.stopped = True


def test_signal_handler_that_sleeps(engine: str, turris_time: TimeTravel) -> None:
    """A handler runs inside a wait of the test, and may sleep itself before it ends the wait."""
    event, before = threading.Event(), turris_time.now

    def handle(_: int, frame: FrameType | None) -> None:
        time.sleep(5)
        event.set()

    original = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        assert event.wait()
    finally:
        signal.signal(signal.SIGALRM, original)
    assert turris_time.now - before == 5 * SECOND
