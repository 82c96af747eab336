"""What the process's other threads are doing: the clock moves only while they wait too.

A thread that waits in a function that is patched here reports that. For any other, Linux shows its
system call; elsewhere a thread that stays at one instruction counts as waiting.
"""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import FrameType
from typing import TypeAlias

from pytest_turris.process.steady_clock import SERVER_THREAD, steady_time
from pytest_turris.process.system_calls import FUTEX, system_call_of
from pytest_turris.time_travel.callers import Callers
from pytest_turris.time_travel.watching.frames import frames_of_threads, reads_stacks
from pytest_turris.time_travel.watching.idle_threads import IdleThreads, runs_of
from pytest_turris.time_travel.watching.processor_time import ProcessorTime
from pytest_turris.time_travel.watching.system_state import State, state_in, thread_state

_READS = frozenset({"http", "multiprocessing", "select", "selectors", "socket", "socketserver",
                    "ssl", "subprocess"})  # fmt: skip
_STILL, _LOOKS_STILL = 0.015, 6
"""Seconds at one instruction, longer than the interpreter makes a thread wait for its turn; and in
how many looks: a machine that stood still meanwhile let no thread ask for its turn."""

_Place: TypeAlias = tuple[int, int, str, object]
"""A frame, an instruction in it, the address in memory that the thread waits at, and its runs."""

_LOOKS = 3
"""How often to look again at a wait without a timeout: a thread that hands the interpreter's lock
to another is in one for a moment."""
_CPU = 3.0
"""Seconds of the process's time on a processor for which a thread may work until it waits. One that
computes between two waits, or in which the collector of garbage runs, keeps its turn."""
_CPU_AGAIN = 0.05
"""The same for one that has used up the first, until it is seen to wait."""
_PAUSE = 0.004
"""Seconds between two looks, in the end."""
_LONG, _ANSWER = 1_250, 60
"""How many looks a thread may work without using a processor, and a woken one wait for something
real. Not seconds: a busy machine lets many pass in which no thread gets its turn."""


@dataclass(frozen=True, slots=True)
class _Parked:
    """A thread that waits in a function that is patched here."""

    holds: Callable[[], bool]
    """Whether nothing has let it go yet."""
    state: State
    at_gate: bool
    """Whether it waits for a lock, in one call without a timeout."""


class Threads:
    """The other threads of the code under test.

    Args:
        callers: Distinguishes them from the test runner's.
        pause: Really sleeps.
    """

    def __init__(self, callers: Callers, pause: Callable[[float], object]) -> None:
        self._callers = callers
        self._pause = pause
        self._parked: dict[int, _Parked] = {}
        self._seen: dict[int, tuple[_Place, float, int]] = {}
        self._woken: set[int] = set()
        self._restless: set[int] = set()
        """Those that have used up their time, and were not seen to wait since."""
        self._idle = IdleThreads()
        self._at_lock: set[int] = set()
        """Those that wait for a lock of the scheduler, and will go on at once."""
        self._to_move: set[int] = set()
        """Of those, the ones that go on when the thread that moves the clock has moved it."""

    @contextlib.contextmanager
    def parked(
        self, holds: Callable[[], bool], state: State = "waiting", *, at_gate: bool = False
    ) -> Iterator[None]:
        """Note that the current thread waits, as long as ``holds()``."""
        ident = threading.get_ident()
        before = self._parked.get(ident)
        self._woken.discard(ident)
        self._seen.pop(ident, None)
        self._parked[ident] = _Parked(holds, state, at_gate)
        try:
            yield
        finally:
            if before is None:
                del self._parked[ident]
            else:
                self._parked[ident] = before

    @contextlib.contextmanager
    def holding(
        self, lock: AbstractContextManager[object], *, to_move: bool = False
    ) -> Iterator[None]:
        """Hold a lock of the scheduler; a thread that waits for it is at work.

        Args:
            lock: The lock.
            to_move: Whether it is held while the clock moves. The thread that moves it does not
                wait for those that wait for that.
        """
        ident = threading.get_ident()
        self._at_lock.add(ident)
        if to_move:
            self._to_move.add(ident)
        try:
            with lock:
                self._to_move.discard(ident)
                yield
        finally:
            self._to_move.discard(ident)
            self._at_lock.discard(ident)

    def woke(self, ident: int) -> None:
        """Note that the clock woke a thread: it gets its turn before the clock goes on."""
        self._woken.add(ident)
        self._seen.pop(ident, None)

    def is_parked(self, ident: int) -> bool:
        """Whether a thread waits in a function that is patched here."""
        parked = self._parked.get(ident)
        return parked is not None and parked.holds()

    def settle(self, but: int) -> None:
        """Let the other threads run until each waits; not for long if one never does.

        Only the thread that moves the clock calls it: another that is to move it waits for that.
        The bounds are processor time and looks, so that a busy machine changes nothing.
        """
        if threading.active_count() == 1:
            return
        cpu, looks, pause, used = time.process_time(), Counter[State](), 0.0001, ProcessorTime()
        while (busy := self._busy(but)) is not None:
            ident, state = busy
            used.begin(ident)
            most = _CPU_AGAIN if ident in self._restless else _CPU
            bound = _LONG if state == "working" else _ANSWER
            if looks[state] > bound and state == "working" and used.has_grown(ident):
                looks[state] = 0
            if time.process_time() - cpu > most or looks[state] > bound:
                self._woken.clear()
                if state == "working":
                    self._restless.add(ident)
                return
            self._pause(pause)
            pause = min(2 * pause, _PAUSE)
            looks[state] += 1

    def all_wait(self, but: int) -> bool:
        """Whether no other thread works, or waits for something real since the clock can move.

        It looks twice: one that worked may have woken one that was checked before.
        """
        if threading.active_count() == 1:
            return True
        return all(state == "waiting" for _ in range(2) for _, state in self._states(but))

    def blocked(self, thread: threading.Thread) -> bool:  # pragma: no cover - as ``_watch``
        """Whether a thread waits for another, in C, and in no function that is patched here."""
        ident = thread.ident or 0
        if ident in self._parked or self._goes_on(ident):
            return False
        frame = frames_of_threads().get(ident)
        return frame is not None and self._look(thread, frame) == "waiting"

    def _goes_on(self, ident: int) -> bool:
        """Whether a thread is at work, though it may wait for a lock that is held for a moment."""
        return ident in self._at_lock or reads_stacks(ident)

    def _busy(self, but: int) -> tuple[int, State] | None:
        """A thread that does not wait yet, those first that may still work for long."""
        woken: tuple[int, State] | None = None
        restless: tuple[int, State] | None = None
        for ident, state in self._states(but):
            if ident in self._to_move:
                continue
            if state != "working":
                self._restless.discard(ident)
                if state == "real" and ident in self._woken:
                    woken = ident, state
            elif ident not in self._restless:
                return ident, state
            else:
                restless = ident, state
        return restless or woken

    def _states(self, but: int) -> Iterator[tuple[int, State]]:
        frames = frames_of_threads()
        here = threading.get_ident()
        for thread in threading.enumerate():
            ident = thread.ident
            if ident is None:
                yield 0, "working"  # it is being started
            elif ident not in (here, but):
                parked = self._parked.get(ident)
                if self._goes_on(ident):
                    yield ident, "working"
                elif parked is not None and not parked.holds():
                    yield ident, "working"  # released, though the system may not have woken it yet
                elif parked is not None and _rests(parked, thread.native_id):
                    yield ident, parked.state
                elif (frame := frames.get(ident)) is not None:
                    yield from self._unparked(thread, frame)

    def _unparked(self, thread: threading.Thread, frame: FrameType) -> Iterator[tuple[int, State]]:
        kind = self._callers.kind(frame)
        if kind == "machinery":
            # A sandbox on a socket: a client waits for its answer.
            if thread.name == SERVER_THREAD and self._look(thread, frame) == "working":
                yield thread.ident or 0, "working"
            return
        state = self._look(thread, frame)
        if state == "real" and self._idle.is_idle(thread, frame):
            state = "waiting"
        elif state == "waiting" and self._callers.is_in_kit(frame):
            state = "real"  # for a moment, or for a lock that is held for one
        # A pool's thread that waits for nothing but a lock is idle; in a C function, such as
        # ``os.waitpid``, it shows no more than that it waits for something real.
        if kind == "client" or state != "waiting":
            yield thread.ident or 0, state

    def _look(self, thread: threading.Thread, frame: FrameType) -> State:
        native_id = thread.native_id
        call = system_call_of(native_id)
        state = state_in(call)
        if state == "waiting" and any(
            state_in(system_call_of(native_id)) != state for _ in range(_LOOKS)
        ):
            return "working"
        if state is not None:
            return state
        if self._has_waited_since_before(thread, frame):
            return "waiting"
        # One that got its lock, and waits for its turn to run, waits at another address; and it
        # runs every 5 ms to ask for its turn, however long it does not get it on a busy machine.
        at, runs = call[1] if call else "", runs_of(thread.native_id, frame)
        if not self._is_still(thread.ident or 0, (id(frame), frame.f_lasti, at, runs)):
            return "working"
        module = str(frame.f_globals.get("__name__", ""))
        return "real" if module.partition(".")[0] in _READS else "waiting"

    def _has_waited_since_before(self, thread: threading.Thread, frame: FrameType) -> bool:
        """Whether a thread is in one wait since the clock can move.

        A run of tests leaves hundreds of them, and to watch each for a while takes seconds. One
        that waits for its turn to run has had it meanwhile; only Linux says so.
        """
        is_long_ago = steady_time() - self._idle.since >= _STILL
        return bool(FUTEX) and is_long_ago and self._idle.is_idle(thread, frame)

    def _is_still(self, ident: int, where: _Place) -> bool:
        seen = self._seen.get(ident)
        if seen is None or seen[0] != where:
            self._seen[ident] = where, steady_time(), 0
            return False
        _, since, looks = seen
        self._seen[ident] = where, since, looks + 1
        return looks >= _LOOKS_STILL and steady_time() - since >= _STILL


def _rests(parked: _Parked, native_id: int | None) -> bool:
    """Whether a parked thread is in its wait: one that just got its lock holds it, too."""
    return not (parked.at_gate and FUTEX) or thread_state(native_id) == "waiting"
