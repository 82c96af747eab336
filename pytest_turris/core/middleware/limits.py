"""Rate limits: 10 token requests and 60 writes a minute per credential; reads are not limited.

The numbers, the header names and the 429's text are documented (guides/rate-limiting). Assumed,
and options: whether the window is fixed or sliding, and when the headers are sent.
"""

import datetime as dt
from collections import deque
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, Literal, Protocol

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.clock import Clock, later
from pytest_turris.core.errors import TurrisKitError, UnknownNameError
from pytest_turris.core.middleware.allowance import WINDOW, Allowance, fields_to_retry, seconds_left
from pytest_turris.core.options import Options
from pytest_turris.core.text.names import did_you_mean
from pytest_turris.core.undo import Undo, whole
from pytest_turris.core.wire.errors import RateLimitExceeded
from pytest_turris.core.wire.messages import Fields

Bucket = Literal["token", "write"]

_TICK = dt.timedelta(milliseconds=1)
_NEAR = 0.8
_LISTED = 20
"""This many calls of a counter are kept one by one."""
_NO_CALLS: deque[dt.datetime] = deque()


class Named(Protocol):
    """A credential: an API client or a restricted access token."""

    @property
    def name(self) -> str:
        """The client id, or the masked token."""
        ...


class RateWindowError(TurrisKitError, ValueError):
    """No rate window is open, the clock runs, or ``leave`` is more than the limit."""


class Limits:
    """The counters of one sandbox, by bucket and credential."""

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock = clock
        self._options = options
        self.default_credential = ""
        """The credential whose window is used by default: the default API client's."""
        self.names: Callable[[], Collection[str]] = lambda: (self.default_credential,)
        """The names of all credentials."""
        self._calls: dict[tuple[Bucket, str], deque[dt.datetime]] = {}

    @whole
    def spend(self, bucket: Bucket, credential: str, operation: str = "") -> Fields:
        """Count one call and return the headers for its response.

        With the option ``write_windows="per_operation"`` each operation has a window of its own;
        ``exhaust`` then means all of them.

        Raises:
            RateLimitExceeded: No call is left in this window; this one is not counted.
        """
        limit, now = self._limit(bucket), self._clock.now()
        windows = [credential]
        if bucket == "write" and self._options.write_windows == "per_operation":
            windows.append(f"{credential} {operation}")
        for window in windows:
            calls = self._current(bucket, window, now)
            if len(calls) >= limit:
                raise self._exceeded(bucket, window)
        self.undo.last(calls, now)
        calls.append(now)
        if len(calls) < _NEAR * limit and self._options.rate_headers != "always":
            return ()
        return Allowance(limit, len(calls), later(calls[0], WINDOW)).headers

    @whole
    def allowance(self, bucket: Bucket, credential: str | Named | None = None) -> Allowance:
        """What a credential has left, without counting a call.

        Args:
            bucket: ``token`` or ``write``.
            credential: The API client or restricted token, or its name: a client id or a masked
                token. The default API client if None.

        Raises:
            UnknownNameError: There is no such bucket, or no such credential.
        """
        whose = self._name_of(bucket, credential)
        is_open = (bucket, whose) in self._calls  # reading it opens no window
        calls = self._current(bucket, whose) if is_open else ()
        start = calls[0] if calls else self._clock.now()
        return Allowance(self._limit(bucket), len(calls), later(start, WINDOW))

    @whole
    def exhaust(
        self, bucket: Bucket = "token", credential: str | Named | None = None, *, leave: int = 0
    ) -> Allowance:
        """Use up the window, except for ``leave`` calls, as if the calls had just been made.

        Args:
            bucket: ``token`` or ``write``.
            credential: As for ``allowance``.
            leave: How many calls remain.

        Raises:
            UnknownNameError: There is no such bucket, or no such credential.
            RateWindowError: ``leave`` is negative or above the limit.
        """
        whose, limit = self._name_of(bucket, credential), self._limit(bucket)
        if not 0 <= leave <= limit:
            raise RateWindowError(f"leave={leave} is not from 0 to the limit of {limit}")
        calls = self._current(bucket, whose)
        more = [self._clock.now()] * (limit - leave - len(calls))
        self.undo.item(self._calls, (bucket, whose))
        self._calls[bucket, whose] = deque([*calls, *more])
        return self.allowance(bucket, whose)

    def to_window_start(
        self, bucket: Bucket = "token", credential: str | Named | None = None
    ) -> Allowance:
        """Advance the clock until no call counts any more: the next one opens a new window.

        With ``turris_time``, time passes for the code under test too.
        """
        whose = self._name_of(bucket, credential)
        if self._current(bucket, whose):
            self._clock.advance(self._newest_reset(bucket, whose) - self._clock.now())
        return self.allowance(bucket, whose)

    def to_just_before_reset(
        self, bucket: Bucket = "token", credential: str | Named | None = None
    ) -> Allowance:
        """Advance the clock to a millisecond before the window resets: past calls still count.

        Raises:
            RateWindowError: No call was made in the last minute, so no window is open; or the
                clock runs, so that the window would reset before the next call.
        """
        whose = self._name_of(bucket, credential)
        if not self._current(bucket, whose):
            raise RateWindowError(
                f"no {bucket} window of {whose} is open: make a call, or exhaust({bucket!r}) first"
            )
        if self._clock.is_running():
            raise RateWindowError(
                "a millisecond before the reset passes at once on a clock that runs. Fix: use the "
                "fixture turris_time, without the option time_tick"
            )
        resets_at = self.allowance(bucket, whose).resets_at
        self._clock.advance(max(resets_at - self._clock.now() - _TICK, dt.timedelta(0)))
        return self.allowance(bucket, whose)

    @whole
    def reset(self) -> None:
        """Forget every call."""
        self.undo.copies(self, "_calls")
        if self.changes is not None:
            for bucket, credential in self._calls:
                self.changes.gone("limits", f"{bucket} {credential}")
        self._calls.clear()

    def rows(self) -> Iterator[Row]:
        """The counters as rows of the state."""
        for bucket, credential in self._calls:
            yield "limits", f"{bucket} {credential}", self._plain(bucket, credential)

    def snapshot(self) -> list[Any]:
        """The counters as JSON data."""
        return [row for _, _, row in self.rows()]

    def restore(self, data: list[Any]) -> None:
        """Replace the counters with a snapshot's."""
        self._calls = {}
        for bucket, credential, *calls in data:
            self._calls[bucket, credential] = _calls_of(*calls)

    def take_over(self, key: str, row: list[Any] | None) -> None:
        """Take over a counter as it was changed elsewhere; None if it is forgotten there."""
        if row is None:
            for place in [one for one in self._calls if " ".join(one) == key]:
                del self._calls[place]
        else:
            self._calls[row[0], row[1]] = _calls_of(*row[2:])

    def _plain(self, bucket: Bucket, credential: str) -> list[Any]:
        """A counter in JSON: all its calls, or the first and the last of many with their number.

        A fixed window needs no more than that, unless time goes back into it.
        """
        calls = self._calls[bucket, credential]
        if len(calls) > _LISTED and self._options.rate_window == "fixed":
            return [bucket, credential, [calls[0].isoformat(), calls[-1].isoformat()], len(calls)]
        return [bucket, credential, [call.isoformat() for call in calls]]

    def _name_of(self, bucket: Bucket, credential: str | Named | None) -> str:
        if bucket not in ("token", "write"):
            raise UnknownNameError(f"there is no bucket {bucket!r}; use 'token' or 'write'")
        if credential is None:
            return self.default_credential
        name = credential if isinstance(credential, str) else credential.name
        known = {*self.names(), *(whose for _, whose in self._calls)}
        if name not in known:
            raise UnknownNameError(f"there is no credential {name!r}{did_you_mean(name, known)}")
        return name

    def _limit(self, bucket: Bucket) -> int:
        options = self._options
        return options.token_requests_per_minute if bucket == "token" else options.writes_per_minute

    def _current(
        self, bucket: Bucket, credential: str, now: dt.datetime | None = None
    ) -> deque[dt.datetime]:
        """The calls that count now; those of past windows are dropped."""
        key = bucket, credential
        calls, now = self._calls.get(key), now or self._clock.now()
        if not calls or calls[-1] > now or calls[0] <= now - WINDOW:
            self.undo.item(self._calls, key)
            calls = self._calls[key] = self._counting(calls or _NO_CALLS, now)
        if self.changes is not None:
            plain = partial(self._plain, bucket, credential)
            self.changes.mark("limits", f"{bucket} {credential}", plain)
        return calls

    def _counting(self, before: deque[dt.datetime], now: dt.datetime) -> deque[dt.datetime]:
        """A copy of the calls without those that do not count."""
        calls, horizon = before.copy(), now - WINDOW
        while calls and calls[-1] > now:
            calls.pop()  # time went back to before that call
        if self._options.rate_window == "fixed":
            if calls and calls[0] <= horizon:
                calls.clear()
        else:
            while calls and calls[0] <= horizon:
                calls.popleft()
        return calls

    def _newest_reset(self, bucket: Bucket, credential: str) -> dt.datetime:
        """The time from which no past call counts any more."""
        calls = self._current(bucket, credential)
        last = calls[0] if self._options.rate_window == "fixed" else calls[-1]
        return later(last, WINDOW)

    def _exceeded(self, bucket: Bucket, credential: str) -> RateLimitExceeded:
        allowance, now = self.allowance(bucket, credential), self._clock.now()
        headers = fields_to_retry(allowance.resets_at, now, self._options)
        left = seconds_left(allowance.resets_at, now)
        error = RateLimitExceeded(
            f"Rate limit exceeded. Please retry after {int(WINDOW.total_seconds())} seconds.",
            reason=f"{allowance.limit} {bucket} calls a minute for {credential} are used up; "
            f"the window resets in {left} s, at {allowance.resets_at:%H:%M:%S}Z",
        )
        error.headers = (*allowance.headers, *headers)
        return error


def _calls_of(moments: list[str], count: int = 0) -> deque[dt.datetime]:
    """The calls of a counter in JSON."""
    calls = deque(map(dt.datetime.fromisoformat, moments))
    calls.extend([calls[-1]] * (count - len(calls)) if calls else ())
    return calls
