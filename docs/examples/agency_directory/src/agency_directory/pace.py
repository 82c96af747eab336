"""Keeps the directory's own writes within the rate limit of Turris."""

import threading
from collections import deque
from datetime import UTC, datetime, timedelta

from agency_directory.exchange import Flow, Pause

WRITES_PER_WINDOW = 60
WINDOW = timedelta(minutes=1)


class WritePace:
    """Lets no more writes out in any minute than Turris takes. Threads and tasks share it."""

    def __init__(self) -> None:
        self._times: deque[datetime] = deque(maxlen=WRITES_PER_WINDOW)
        self._lock = threading.Lock()

    def turn(self) -> Flow[None]:
        """Wait until one more write is within the limit."""
        if seconds := self._reserve(datetime.now(UTC)):
            yield Pause(seconds)

    def _reserve(self, now: datetime) -> float:
        """Take the next free moment, and return how many seconds away it is."""
        with self._lock:
            moment = now
            if len(self._times) == WRITES_PER_WINDOW:
                moment = max(now, self._times[0] + WINDOW)
            self._times.append(moment)
        return (moment - now).total_seconds()
