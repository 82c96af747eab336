"""Threads that ran before a test began: what they send may be another test's.

A thread that an earlier test left behind looks like one that outlives its test on purpose, such as
a pool's or an event loop's. So nothing is refused; a failing test only says what such threads did.
"""

import threading
from weakref import WeakKeyDictionary

from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response

_MOST = 3
"""How many requests of a thread are shown."""


class EarlierThreads:
    """The threads that ran before the current test began, and what they sent during it."""

    def __init__(self) -> None:
        self._tests: WeakKeyDictionary[threading.Thread, str] = WeakKeyDictionary()
        """During which test each was started."""
        self._test = ""
        self._sent: dict[str, list[str]] = {}

    def begin(self, test: str) -> None:
        """Note the threads that run as a test begins: those not seen before are the last test's."""
        for thread in threading.enumerate():
            self._tests.setdefault(thread, self._test)
        self._tests.pop(threading.current_thread(), None)
        self._test, self._sent = test, {}

    def current(self) -> str:
        """The current thread and the test that started it, in words; empty if it is a new one."""
        thread = threading.current_thread()
        test = self._tests.get(thread)
        if test is None:
            return ""
        return f"the thread {thread.name!r}, started {f'during {test}' if test else 'earlier'},"

    def watch(self, request: Request, handle: Handle) -> Response:
        """Note a request of an earlier thread; a server's threads answer others' requests."""
        if not request.client_port and (who := self.current()):
            self._sent.setdefault(who, []).append(f"{request.method} {request.path}")
        return handle(request)

    def note(self) -> str:
        """What the earlier threads sent during this test, and what to do; empty for nothing."""
        lines = []
        for who, requests in list(self._sent.items()):
            more = f" and {len(requests) - _MOST} more" if len(requests) > _MOST else ""
            lines.append(f"{who} sent {', '.join(requests[:_MOST])}{more}")
        if lines:
            lines.append(
                "these requests count for this test. Fix: if another test left the thread behind, "
                "stop it and join it before that test ends"
            )
        return "\n".join(lines)
