"""Threads that compute: the clock goes on when they wait, not while they seem to."""

import itertools
import threading
import time

import pytest
from doubles.heartbeat import Heartbeat
from doubles.waiting import eventually

from pytest_turris.process.system_calls import FUTEX, system_call_of
from pytest_turris.time_travel.blocking import real_sleep
from pytest_turris.time_travel.callers import Callers
from pytest_turris.time_travel.threads import Threads
from pytest_turris.time_travel.travel import TimeTravel

on_both_engines = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)
WITHOUT_END = [FUTEX, "0x7f0000000000", "0x189", "0x0", "0x0", "0x0"]


def compute(seconds: float) -> None:
    """Use processor time, in one line of code."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@on_both_engines
def test_thread_that_computes_between_its_waits(engine: str, turris_time: TimeTravel) -> None:
    """It is waited for, so that it misses none of its moments."""

    def wait_and_compute() -> None:
        threading.Event().wait(60)
        compute(0.2)

    heart = Heartbeat(wait_and_compute)
    turris_time.advance(minutes=5, seconds=1)
    assert heart.beats == 5
    heart.stopped = True


@on_both_engines
def test_thread_next_to_one_that_never_waits(engine: str, turris_time: TimeTravel) -> None:
    """That one is waited for once; then the other still has its turns."""
    over = threading.Event()

    def never_wait() -> None:
        while not over.is_set():
            compute(0.001)

    thread = threading.Thread(target=never_wait, daemon=True)
    thread.start()
    heart = Heartbeat(lambda: time.sleep(60))
    turris_time.advance(minutes=5, seconds=1)
    beats = heart.beats
    over.set()
    thread.join()  # which moves the clock to the next beat, unless the thread ends first
    assert beats == 5
    heart.stopped = True


@pytest.mark.skipif(not FUTEX, reason="only Linux shows how much threads work")
def test_thread_whose_turns_are_rare_is_waited_for() -> None:
    """On a busy machine many looks find it at work, and it gets on: they do not count."""
    done, over = threading.Event(), threading.Event()

    def work() -> None:
        compute(0.4)
        done.set()
        over.wait()

    thread = threading.Thread(target=work, daemon=True)
    threads = Threads(Callers(), lambda _: None)  # it looks more often than it would
    thread.start()
    threads.settle(threading.get_ident())
    assert done.is_set()
    over.set()
    thread.join()


@pytest.mark.skipif(not FUTEX, reason="only Linux shows system calls")
def test_wait_for_a_moment_is_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that hands the interpreter's lock on waits without end, and goes on at once."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait, daemon=True)
    thread.start()
    calls = itertools.cycle([WITHOUT_END, WITHOUT_END, ["running"]])

    def call_of(native_id: int | None) -> list[str]:
        return next(calls) if native_id == thread.native_id else WITHOUT_END

    with monkeypatch.context() as patch:
        patch.setattr("pytest_turris.time_travel.threads.system_call_of", call_of)
        assert not Threads(Callers(), time.sleep).all_wait(threading.get_ident())
    over.set()
    thread.join()


@pytest.mark.skipif(not FUTEX, reason="only Linux shows system calls")
@pytest.mark.parametrize("ran", ["running", "waiting for its turn"])
def test_machine_that_stands_still_takes_no_turn(monkeypatch: pytest.MonkeyPatch, ran: str) -> None:
    """Between two looks any time may pass in which no thread runs: it says nothing of them."""
    looks = list[float]()
    threads = Threads(Callers(), looks.append)
    over = threading.Event()
    thread = threading.Thread(target=over.wait, daemon=True)
    thread.start()
    turn = [FUTEX, "0x7f0000000000", "0x189", "0x0", "0x7ffc0000", "0x0"]
    state = ["running"] if ran == "running" else turn
    hour = itertools.count(0, 3_600)

    def call_of(native_id: int | None) -> list[str]:
        return state if native_id == thread.native_id and len(looks) < 5 else WITHOUT_END

    with monkeypatch.context() as patch:
        patch.setattr("pytest_turris.time_travel.threads.steady_time", lambda: next(hour))
        patch.setattr("pytest_turris.time_travel.threads.system_call_of", call_of)
        patch.setattr("pytest_turris.time_travel.threads.runs_of", lambda *_: 0)
        threads.settle(threading.get_ident())
    assert len(looks) == 5
    over.set()
    thread.join()


def test_thread_that_is_to_move_the_clock_next_waits_for_the_one_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread in the middle of a move waits for no thread that waits for the end of that move."""
    mover, has_it, looks = threading.Lock(), threading.Event(), list[float]()
    threads = Threads(Callers(), looks.append)

    def move_too() -> None:
        with threads.holding(mover, to_move=True):
            has_it.set()

    with threads.holding(mover, to_move=True):
        thread = threading.Thread(target=move_too, daemon=True)
        thread.start()
        while thread.ident not in threads._to_move:
            real_sleep(0.001)
        monkeypatch.setattr(threading, "enumerate", lambda: [thread])  # none of other tests
        threads.settle(threading.get_ident())
        assert not has_it.is_set()
    thread.join()
    assert not looks


@pytest.mark.skipif(not FUTEX, reason="only Linux shows system calls")
def test_threads_that_wait_since_before_are_idle_at_once() -> None:
    """Hundreds that earlier tests left in a long wait take no time from the threads that work."""
    over = threading.Event()
    left = [threading.Thread(target=over.wait, args=(3_600,), daemon=True) for _ in range(50)]
    for thread in left:
        thread.start()
    eventually(lambda: all(system_call_of(one.native_id)[:1] == [FUTEX] for one in left))
    looks = list[float]()
    threads = Threads(Callers(), looks.append)
    time.sleep(0.02)  # one that waits for its turn to run has had it then
    threads.settle(threading.get_ident())
    over.set()
    for thread in left:
        thread.join()
    assert looks == []
