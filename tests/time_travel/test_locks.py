"""Threads whose wait is over, or for the interpreter itself, are at work on a busy machine too."""

import ctypes
import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from doubles.waiting import eventually

from pytest_turris.process.system_calls import FUTEX, system_call_of
from pytest_turris.time_travel.callers import Callers
from pytest_turris.time_travel.threads import Threads
from pytest_turris.time_travel.watching import locks
from pytest_turris.time_travel.watching.locks import goes_on
from pytest_turris.time_travel.watching.system_state import state_in, thread_state

pytestmark = pytest.mark.skipif(
    not FUTEX or not system_call_of(threading.get_native_id()), reason="the system does not show it"
)


def waits_for(word: ctypes.c_uint32 | int, expected: int = 0, timeout: int = 0) -> list[str]:
    """The system call of a thread that waits for a word of memory."""
    address = word if isinstance(word, int) else ctypes.addressof(word)
    return [FUTEX, hex(address), "0x189", hex(expected), hex(timeout), "0x0"]


@contextmanager
def waiting(work: Callable[[], object]) -> Iterator[int]:
    """The system's id of a thread in a wait that the test ends."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    eventually(lambda: system_call_of(thread.native_id)[:1] == [FUTEX])
    yield thread.native_id or 0
    thread.join()


def rests_in_its_wait(native_id: int) -> bool:
    """Whether a thread is seen in a wait for another one."""
    return thread_state(native_id) in (None, "waiting")


@pytest.mark.parametrize("timeout", [0, 0x7FFC0000], ids=["without end", "with a timeout"])
def test_wait_for_a_lock_of_the_interpreter_is_work(timeout: int) -> None:
    """A thread that wants to run Python code, and that a busy machine does not let run."""
    state = ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime")
    for offset in (0, 8, 4_096):
        address = ctypes.addressof(state) + offset
        assert state_in(waits_for(address, 2, timeout)) == "working"


@pytest.mark.parametrize("expected", [0, 2, 0xFFFF_FFFF])
def test_wait_for_a_lock_that_was_released_is_work(expected: int) -> None:
    """Its word has changed; the thread runs as soon as the machine lets it."""
    word = ctypes.c_uint32(expected)
    call = waits_for(word, expected)
    assert state_in(call) == "waiting"
    word.value = 1
    assert state_in(call) == "working"


def test_numbers_of_a_system_call_may_have_more_digits_than_a_word() -> None:
    """The C library gives a negative number, which the system shows with 16 digits."""
    word = ctypes.c_uint32(0xFFFF_FFFF)
    assert state_in(waits_for(word, 0xFFFF_FFFF_FFFF_FFFF)) == "waiting"


@pytest.mark.parametrize("address", [0, 2**64 - 4, 2**70])
def test_memory_that_is_gone_is_not_read(address: int) -> None:
    """Between two looks a thread may end, and free its lock."""
    assert not goes_on(waits_for(address))


@pytest.mark.parametrize("call", [[], ["running"], ["0", "0x3", "0x7f0000000000", "0x400"]])
def test_other_system_calls_are_no_waits_for_a_lock(call: list[str]) -> None:
    """They are judged by what they are."""
    assert not goes_on(call)


def test_waits_of_python_code_go_on_when_they_end() -> None:
    """A queue, a lock, an event, a condition and a thread are waited for, and are released."""
    tasks, lock, event = queue.SimpleQueue[int](), threading.Lock(), threading.Event()
    condition, others = threading.Condition(), threading.Thread(target=event.wait, daemon=True)
    lock.acquire()
    others.start()

    def take() -> None:
        with condition:
            condition.wait(60)

    def notify() -> None:
        with condition:
            condition.notify_all()

    waits: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (tasks.get, lambda: tasks.put(1)),
        (lock.acquire, lock.release),
        (lambda: lock.acquire(timeout=60), lock.release),
        (take, notify),
        (others.join, event.set),
    ]
    for wait, end in waits:
        with waiting(wait) as native_id:
            eventually(partial(rests_in_its_wait, native_id))
            end()


def test_thread_that_computes_is_never_seen_to_wait() -> None:
    """It waits again and again for the interpreter's lock while others look at it."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    states = {thread_state(thread.native_id) for _ in range(1_000)}
    over.set()
    thread.join()
    assert "waiting" not in states


@pytest.mark.parametrize("without", ["_PyRuntime", "dladdr1"])
def test_without_the_address_of_that_lock_none_is_at_work(
    monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    """Another interpreter or loader: then several looks decide, and a thread that stays."""
    address = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    name = "pythonapi" if without == "_PyRuntime" else "CDLL"
    locks._runtime.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(ctypes, name, lambda _: object())
        patch.setattr(locks, "_word_at", lambda _: None)
        assert not goes_on(waits_for(address))
    locks._runtime.cache_clear()
    assert goes_on(waits_for(address))


def test_looks_at_a_thread_that_worked_are_not_those_at_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A woken thread works for long, and then reads for a moment: it is waited for to its end."""
    over, looks = threading.Event(), list[float]()
    thread = threading.Thread(target=over.wait, daemon=True)
    threads = Threads(Callers(), looks.append)
    thread.start()
    reads = ["0", "0x3", "0x7f0000000000", "0x400", "0x0", "0x0"]
    work = [["running"]] * 100 + [reads] * 5
    calls = itertools.chain(work, itertools.repeat(waits_for(0)))

    def call_of(native_id: int | None) -> list[str]:
        return next(calls) if native_id == thread.native_id else waits_for(0)

    threads.woke(thread.ident or 0)
    with monkeypatch.context() as patch:
        patch.setattr("pytest_turris.time_travel.threads.system_call_of", call_of)
        threads.settle(threading.get_ident())
    assert len(looks) == len(work)
    over.set()
    thread.join()
