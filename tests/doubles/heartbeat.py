"""A thread in the background, for tests of time travel."""

import threading
from collections.abc import Callable


class Heartbeat:
    """A thread that does something again and again."""

    def __init__(self, wait: Callable[[], object]) -> None:
        self.beats = 0
        self.stopped = False
        self._wait = wait
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._begun.wait()

    def _run(self) -> None:
        self._begun.set()
        while not self.stopped:
            self._wait()
            self.beats += 1
