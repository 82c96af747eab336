"""Histories of concurrent calls, and whether they could have happened one after the other.

The calls add elements to a set, each once, and read the set. Such a history is linearisable exactly
if no cycle is in this order: a call before each that began after its end; an added element before
each read that has it, and after each read that does not.
"""

import graphlib
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(eq=False)
class Call:
    """One call.

    Args:
        began: When it was sent.
        ended: When its answer came; infinity if none came, so that it may take effect at any time.
        added: The element that it adds, if any.
        read: The elements that it has found, if it is a read.
    """

    began: float
    ended: float = float("inf")
    added: str | None = None
    read: frozenset[str] | None = None


@dataclass
class History:
    """Calls as several threads record them."""

    calls: list[Call] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, element: str, work: Callable[[], bool]) -> bool:
        """Record a call that adds an element; ``work`` says whether its answer was a success."""
        call = Call(time.monotonic(), added=element)
        with self._lock:
            self.calls.append(call)
        if done := work():
            call.ended = time.monotonic()
        return done

    def read(self, work: Callable[[], frozenset[str] | None]) -> bool:
        """Record a read; ``work`` returns what it has found, or None if there was no answer."""
        began = time.monotonic()
        found = work()
        if found is not None:
            with self._lock:
                self.calls.append(Call(began, time.monotonic(), read=found))
        return found is not None

    @property
    def answered(self) -> set[str]:
        """The elements whose addition was answered."""
        return {call.added for call in self.calls if call.added and call.ended < float("inf")}


def contradiction(history: History) -> list[Call] | None:
    """Calls that cannot have happened one after the other, as a cycle; None if all can."""
    calls = history.calls
    added = {call.added: call for call in calls if call.added is not None}
    order: dict[Call, set[Call]] = {call: set() for call in calls}
    for earlier, later in itertools.permutations(calls, 2):
        if earlier.ended < later.began:
            order[later].add(earlier)
    seen: frozenset[str] = frozenset().union(*(call.read or () for call in calls))
    for call in calls:
        if call.read is None:
            continue
        if unknown := call.read - added.keys():
            return [call, Call(0, added=min(unknown))]
        for element, addition in added.items():
            if element in call.read:
                order[call].add(addition)
            elif element in seen or addition.ended < float("inf"):
                order[addition].add(call)
    try:
        graphlib.TopologicalSorter(order).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return None
