"""Threads under time travel: who moves the clock, and in which order sleepers wake."""

import concurrent.futures
import datetime as dt
import functools
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from time import sleep as nap

import pytest
from doubles.heartbeat import Heartbeat

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


def work(seconds: float = 0.1) -> None:
    """Be busy for real seconds."""
    end = steady_time() + seconds
    while steady_time() < end:
        pass


@pytest.mark.parametrize(
    "wait",
    [
        lambda: time.sleep(60),
        lambda: threading.Event().wait(60),
        lambda: queue_get(60),
        lambda: nap(60),
        functools.partial(time.sleep, 60),
    ],
    ids=["sleep", "event", "queue", "alias", "partial"],
)
def test_thread_in_the_background_never_moves_the_clock(
    engine: str, wait: Callable[[], object], turris_time: TimeTravel
) -> None:
    """However long the test works, time stands; what sleeps wakes when the clock passes it."""
    heart, before = Heartbeat(wait), turris_time.now
    work()
    assert (turris_time.now, heart.beats) == (before, 0)
    turris_time.advance(minutes=10, seconds=1)
    assert (turris_time.now, heart.beats) == (before + 10 * MINUTE + SECOND, 10)
    heart.stopped = True


def queue_get(seconds: float) -> None:
    """Wait for what never comes."""
    with pytest.raises(queue.Empty):
        queue.Queue[int]().get(timeout=seconds)


def test_subprocess_is_waited_for_in_real_time(engine: str, turris_time: TimeTravel) -> None:
    """While a subprocess runs time stands, with a timeout too."""
    heart, before = Heartbeat(lambda: time.sleep(30)), turris_time.now
    subprocess.run([sys.executable, "-c", "print()"], check=True, timeout=60, capture_output=True)
    assert turris_time.now == before
    heart.stopped = True


def test_thread_that_works_is_waited_for_in_real_time(engine: str, turris_time: TimeTravel) -> None:
    """A wait for a thread that works moves nothing, whatever else sleeps."""
    heart, before = Heartbeat(lambda: time.sleep(30)), turris_time.now
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(work, 0.1).result(timeout=20)
    done = threading.Event()
    threading.Thread(target=lambda: (work(0.1), done.set())).start()  # type: ignore[func-returns-value] # two calls
    assert done.wait(20)
    assert (turris_time.now, heart.beats) == (before, 0)
    heart.stopped = True


def test_sleeps_at_once_overlap_and_end_in_order(engine: str, turris_time: TimeTravel) -> None:
    """Threads that sleep at once pass the longest of their times, and wake by their due times."""
    before, woke = turris_time.now, list[tuple[int, dt.timedelta]]()

    def sleeper(seconds: int) -> None:
        time.sleep(seconds)
        woke.append((seconds, turris_time.now - before))

    threads = [threading.Thread(target=sleeper, args=(n,)) for n in (30, 10, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert woke == [(n, n * SECOND) for n in (10, 20, 30, 40)]
    assert turris_time.slept == 40 * SECOND
    assert [sleep.duration / SECOND for sleep in turris_time.sleeps] == [10, 20, 30, 40]


def test_threads_of_a_pool_overlap(engine: str, turris_time: TimeTravel) -> None:
    """The same for a pool, with a thread that waits for a lock meanwhile."""
    lock, before = threading.Lock(), turris_time.now

    def locked(seconds: int) -> None:
        with lock:
            time.sleep(seconds)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = [pool.submit(time.sleep, 60), pool.submit(locked, 20), pool.submit(locked, 20)]
        concurrent.futures.wait(done)
    assert turris_time.now - before == MINUTE


def test_own_sleep_lets_the_others_wake_on_the_way(engine: str, turris_time: TimeTravel) -> None:
    """While the test sleeps, what is due earlier runs at its time."""
    seen = list[dt.timedelta]()
    before = turris_time.now
    heart = Heartbeat(lambda: (time.sleep(15), seen.append(turris_time.now - before)))  # type: ignore[func-returns-value] # two calls
    time.sleep(60)
    assert turris_time.now - before == MINUTE
    heart.stopped = True
    assert seen[:3] == [15 * SECOND, 30 * SECOND, 45 * SECOND]


def test_lock_that_a_sleeper_holds(engine: str, turris_time: TimeTravel) -> None:
    """A test that waits for a lock waits for the sleep of the thread that holds it."""
    lock, held, before = threading.Lock(), threading.Event(), turris_time.now

    def hold() -> None:
        with lock:
            held.set()
            time.sleep(300)

    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    with lock:
        assert turris_time.now - before == 5 * MINUTE


def test_timer_of_threading(engine: str, turris_time: TimeTravel) -> None:
    """A timer fires when the clock passes it, and a cancelled one never."""
    fired = list[str]()
    threading.Timer(30, fired.append, ["first"]).start()
    second = threading.Timer(40, fired.append, ["second"])
    second.start()
    work(0.05)
    assert not fired
    turris_time.advance(seconds=35)
    second.cancel()
    turris_time.advance(seconds=35)
    assert fired == ["first"]


@pytest.mark.parametrize(
    "wait",
    [
        lambda: threading.Event().wait(90),
        lambda: threading.Semaphore(0).acquire(timeout=90),
        lambda: queue_get(90),
        lambda: concurrent.futures.wait([concurrent.futures.Future[int]()], timeout=90),
        lambda: condition_wait_for(90),
        lambda: threading.Barrier(2, timeout=90).wait,
    ],
    ids=["event", "semaphore", "queue", "futures", "condition", "barrier"],
)
def test_wait_that_nothing_ends_passes_its_timeout(
    engine: str, wait: Callable[[], object], turris_time: TimeTravel
) -> None:
    """A timed wait of the test takes its time on the clock, and none really."""
    before, real = turris_time.now, steady_time()
    left = wait()
    if callable(left):
        with pytest.raises(threading.BrokenBarrierError):
            left()
    assert turris_time.now - before == 90 * SECOND == turris_time.slept, turris_time.sleeps
    assert steady_time() - real < 20


def condition_wait_for(seconds: float) -> None:
    """Wait for what never becomes true."""
    condition = threading.Condition()
    with condition:
        assert not condition.wait_for(lambda: False, seconds)


def test_notification_ends_a_wait_before_its_timeout(engine: str, turris_time: TimeTravel) -> None:
    """A wait ends when another thread, which sleeps meanwhile, notifies it."""
    event, before = threading.Event(), turris_time.now
    threading.Thread(target=lambda: (time.sleep(20), event.set())).start()  # type: ignore[func-returns-value] # two calls
    assert event.wait(300)
    assert turris_time.now - before == 20 * SECOND


def test_join_with_a_timeout(engine: str, turris_time: TimeTravel) -> None:
    """``join`` waits for a sleep, and for its timeout at most."""
    before = turris_time.now
    thread = threading.Thread(target=time.sleep, args=(100,), daemon=True)
    thread.start()
    thread.join(timeout=40)
    assert (thread.is_alive(), turris_time.now - before) == (True, 40 * SECOND)
    thread.join(timeout=400)
    assert (thread.is_alive(), turris_time.now - before) == (False, 100 * SECOND)


def test_budget_is_of_the_call_and_not_of_the_background(
    engine: str, turris_time: TimeTravel
) -> None:
    """A long sleep in the background costs nothing; one that the test waits for is refused."""
    heart = Heartbeat(lambda: time.sleep(7_200))
    turris_time.limit_sleeps(10 * MINUTE)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(time.sleep, [500] * 8))
    assert turris_time.slept == 500 * SECOND
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        too_long = pool.submit(time.sleep, 200)
    with pytest.raises(SleptTooLongError, match="more than 0:10:00 in total"):
        too_long.result()
    assert heart.beats == 0
    heart.stopped = True


def test_call_that_is_about_to_move_the_clock_is_at_work(
    engine: str, turris_time: TimeTravel
) -> None:
    """While another thread moves it, the test waits for a lock, and not for what sleeps."""
    scheduler, test = turris_time._scheduler, threading.current_thread()
    began, blocked, before = threading.Event(), list[bool](), turris_time.now

    def move() -> None:
        with scheduler._mover:
            began.set()
            for _ in range(10):
                real_sleep(0.01)
                blocked.append(scheduler.threads.blocked(test))

    mover = threading.Thread(target=move)
    mover.start()
    began.wait()
    turris_time.advance(seconds=1)
    mover.join()
    assert (turris_time.now - before, any(blocked)) == (SECOND, False)


def test_time_that_goes_back_changes_no_sleep(engine: str, turris_time: TimeTravel) -> None:
    """What sleeps while the clock goes back still sleeps for the rest of its time."""
    heart = Heartbeat(lambda: time.sleep(60))
    turris_time.advance(seconds=20)
    turris_time.move_to(turris_time.now - dt.timedelta(days=1))
    turris_time.advance(seconds=39)
    assert heart.beats == 0
    turris_time.advance(seconds=1)
    assert heart.beats == 1
    heart.stopped = True


@pytest.mark.turris(time_real_modules="nothing.of_it test_threads tests.time_travel.test_threads")
def test_module_that_is_left_out_really_sleeps(engine: str, turris_time: TimeTravel) -> None:
    """Its sleeps move nothing, and are on record with their real seconds."""
    before, real = turris_time.now, steady_time()
    time.sleep(0.02)
    assert not threading.Event().wait(0.02)
    assert steady_time() - real >= 0.04
    assert turris_time.now == before
    assert not turris_time.sleeps
    assert list(turris_time.really_slept.values()) == [pytest.approx(0.02)]
