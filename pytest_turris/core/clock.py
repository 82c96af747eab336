"""The one clock: tokens, windows, caches, delays and timestamps all read it.

Only this module asks for the time. It reads ``datetime.now`` and never ``time.*``: under
freezegun, a thread may see the real ``time.time()`` next to a frozen ``datetime.now()``.
"""

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pytest_turris.core.errors import TurrisKitError

Mover = Callable[[dt.timedelta], None]

_NOTABLE = dt.timedelta(seconds=1)
_READS = 200
"""How often a clock is read to see whether it runs: for longer than a microsecond."""

EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)


def later(moment: dt.datetime, delta: dt.timedelta) -> dt.datetime:
    """A moment plus a duration, or the latest possible moment."""
    if delta > LATEST - moment:
        return LATEST
    try:
        return moment + delta
    except OverflowError:  # not in UTC, but in the moment's own zone
        return moment.astimezone(dt.UTC) + delta


def bounded(moment: dt.datetime) -> dt.datetime:
    """A moment that a clock may show.

    Raises:
        ClockError: It is before 1970 or after 9999, in UTC.
    """
    if moment < EARLIEST:
        raise ClockError(f"{moment} is before 1970, where clocks begin")
    if moment > LATEST:
        raise ClockError(f"{moment} is beyond the year 9999 in UTC, where calendars end")
    return moment


class ClockError(TurrisKitError, ValueError):
    """A step back, or none at all; or a moment without a zone, outside 1970 to 9999, or lost."""


def step_of(delta: object, parts: Mapping[str, float]) -> dt.timedelta:
    """The step of ``advance(timedelta(...))`` or ``advance(minutes=...)``.

    Raises:
        ClockError: It is neither, or both.
    """
    units = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds")
    for name in parts:
        if name not in units:
            raise ClockError(f"there is no unit {name!r}; use one of {', '.join(units)}")
    if parts and delta is None:
        try:
            return dt.timedelta(**parts)
        except (OverflowError, TypeError, ValueError) as error:
            raise ClockError(f"advance by {parts} is not a duration: {error}") from None
    if isinstance(delta, dt.timedelta) and not parts:
        return delta
    given = "both" if parts and delta is not None else "nothing" if delta is None else repr(delta)
    raise ClockError(f"advance by a timedelta, or by parts such as minutes=5; got {given}")


def zoned(moment: object) -> dt.datetime:
    """A moment to move to.

    Raises:
        ClockError: It is not a datetime, or has no time zone.
    """
    if not isinstance(moment, dt.datetime):
        raise ClockError(f"{moment!r} is not a datetime; write dt.datetime(..., tzinfo=dt.UTC)")
    if moment.tzinfo is None:
        raise ClockError(f"{moment} has no time zone; write dt.datetime(..., tzinfo=dt.UTC)")
    return moment


@dataclass(frozen=True, slots=True, eq=False)
class Alarm:
    """A function to call when a thread's time reaches a moment."""

    moment: dt.datetime
    ring: Callable[[], object]
    thread: int


class Clock:
    """The sandbox's time: the time of the test process, plus an offset of the sandbox's own.

    It follows the process, so a user's freezegun or time-machine moves it too. It can also be
    moved alone, which patches nothing.
    """

    def __init__(self) -> None:
        self._offset = dt.timedelta(0)
        self.correction: dt.timedelta = dt.timedelta(0)
        """How far the clock that several processes share is ahead of this process's."""
        self.on_move: Callable[[dt.timedelta], object] | None = None
        """Called with the offset whenever it is set."""
        self.is_of_a_server: bool = False
        """Whether a server has it, and every client is another process."""
        self._mover: Mover | None = None
        self._system: Callable[[], dt.datetime] | None = None
        self._alarms: list[Alarm] = []

    def now(self) -> dt.datetime:
        """The sandbox's time, in UTC."""
        now = self.process_time()
        ahead = self._offset
        if self.correction:
            ahead += self.correction
        if not ahead:
            return now
        try:
            return now + ahead
        except OverflowError:  # the process's time went on, or was moved, after the offset was set
            return LATEST if ahead > dt.timedelta(0) else EARLIEST

    @property
    def offset(self) -> dt.timedelta:
        """How far the sandbox is ahead of the test process."""
        return self._offset

    @offset.setter
    def offset(self, offset: dt.timedelta) -> None:
        first, last = self.offset_at(EARLIEST), self.offset_at(LATEST)
        if offset and not first <= offset <= last:
            raise ClockError(f"with an offset of {offset} it is not between 1970 and 9999")
        self.follow(offset)

    def follow(self, offset: dt.timedelta) -> None:
        """Take over the offset of a clock that may have run on since it was set."""
        self._offset = offset
        if self.on_move:
            self.on_move(offset)

    @staticmethod
    def process_time() -> dt.datetime:
        """The time of the test process, in UTC."""
        # Looked up at each call: freezegun and time-machine replace it.
        return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place

    def is_running(self) -> bool:
        """Whether time passes by itself."""
        first = self.process_time()
        return any(self.process_time() != first for _ in range(_READS))

    def advance(self, delta: dt.timedelta | None = None, /, **parts: float) -> dt.datetime:
        """Let time pass: ``advance(minutes=55)`` or ``advance(timedelta(minutes=55))``.

        With the fixture ``turris_time`` it passes for the code under test too; without it, only
        for the sandbox.

        Raises:
            ClockError: The step is negative (``move_to`` goes back), or it is not a step.
        """
        step = step_of(delta, parts)
        if step < dt.timedelta(0):
            raise ClockError(f"advance by {step} would go back; use move_to for that")
        if step > LATEST - self.now():
            raise ClockError(f"advance by {step} would go beyond the year 9999")
        if self._alarms:
            end = self.now() + step
            while (due := self._pop_alarm(end)) is not None:
                self._move(max(due.moment - self.now(), dt.timedelta(0)))
                due.ring()
            step = max(end - self.now(), dt.timedelta(0))  # the called function may have taken time
        self._move(step)
        return self.now()

    @contextlib.contextmanager
    def alarm(self, moment: dt.datetime, ring: Callable[[], object]) -> Iterator[None]:
        """Call a function once, when ``advance`` reaches a moment while the context is open.

        The clock shows that moment then, and goes on afterwards. Another thread's ``advance``
        does not call it.
        """
        alarm = Alarm(moment, ring, threading.get_ident())
        self._alarms.append(alarm)
        try:
            yield
        finally:
            if alarm in self._alarms:
                self._alarms.remove(alarm)

    def _pop_alarm(self, end: dt.datetime) -> "Alarm | None":
        own = (alarm for alarm in self._alarms if alarm.thread == threading.get_ident())
        first = min(own, key=lambda alarm: alarm.moment, default=None)
        if first is None or first.moment > end:
            return None
        self._alarms.remove(first)
        return first

    def _move(self, step: dt.timedelta) -> None:
        if self._mover:
            self._mover(step)
        else:
            self.follow(self._offset + step)

    def move_to(self, moment: dt.datetime) -> dt.datetime:
        """Set the sandbox's clock alone, to before or after the process's time.

        Raises:
            ClockError: The moment has no time zone, or is outside 1970 to 9999.
        """
        self.follow(self.offset_at(bounded(zoned(moment))))
        return self.now()

    def offset_at(self, moment: dt.datetime) -> dt.timedelta:
        """The offset with which the clock shows a moment now."""
        return moment - self.process_time() - self.correction

    def move_with(
        self, mover: Mover | None, system: Callable[[], dt.datetime] | None = None
    ) -> None:
        """Let ``advance`` call ``mover``, which moves the whole test process.

        ``system`` returns the time outside the test process, which no time travel changes.
        """
        self._mover, self._system = mover, system

    def mismatch(self, *, over_a_socket: bool) -> str:
        """How the client's time may differ from the sandbox's, and the fix; empty if it does not.

        A request over a socket may come from a process that no time travel reaches.
        """
        now = self.now()
        if abs(self.offset) >= _NOTABLE and self.is_of_a_server:
            return (
                f"CLOCK MISMATCH: the sandbox's clock was moved to {now:%Y-%m-%d %H:%M:%S}Z, this "
                f"machine's says {self.process_time():%Y-%m-%d %H:%M:%S}Z, and the client may not "
                "know. Fix: 'turris-sandbox clock back-to-now', or start the client with "
                "libfaketime and the server with --clock-file"
            )
        if abs(self.offset) >= _NOTABLE:
            return (
                f"CLOCK MISMATCH: the sandbox's clock says {now:%Y-%m-%d %H:%M:%S}Z, the client's "
                f"process says {self.process_time():%Y-%m-%d %H:%M:%S}Z, so the client cannot "
                "know. Fix: move both with the fixture turris_time, not turris.clock alone"
            )
        outside = self._system() if self._system and over_a_socket else now
        if abs(now - outside) >= _NOTABLE:
            return (
                f"CLOCK MISMATCH, if the client is another process: the sandbox's clock says "
                f"{now:%Y-%m-%d %H:%M:%S}Z, this machine's {outside:%Y-%m-%d %H:%M:%S}Z. Fix: let "
                "that process begin its own travel at turris_time.now, or use "
                "turris.tokens.revoke_all() in place of time travel"
            )
        return ""

    def __repr__(self) -> str:
        ahead = f", {self.offset} from the process" if self.offset else ""
        return f"<Clock {self.now():%Y-%m-%d %H:%M:%S}Z{ahead}>"
