"""Observes at which age a client replaces its token, and whether a provocation changes it.

A client may also replace its token at certain times of the day, or at random: then two tokens
differ though nothing was provoked. So a difference counts only if every token has it during the
provocation, and none has it otherwise.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import PAST, ClientHarness
from pytest_turris.conformance.preconditions import renew_well
from pytest_turris.core.text.durations import moment

_YOUNG = 0.6
"""Part of the time until a token is due: nothing asks for a new one yet."""
_QUIET = 1.5
"""Part of a token's life after which nothing was asked: it has expired, and by a clock that was set
back by an hour meanwhile it has not."""
_PHASES = (0.05, 0.17, 0.31, 0.53, 0.71)
"""Parts of a token's life by which the moments of the requests differ: no period of time that ends
between ``_YOUNG`` and the expiry lets all these tokens live as long."""


class Habits:
    """What one client does while nothing is provoked."""

    def __init__(self, harness: ClientHarness) -> None:
        options = harness.sandbox.options
        self._harness = harness
        self._life = options.token_ttl
        self._due = options.token_ttl - options.refresh_buffer
        self._replaced: dict[dt.timedelta, bool] = {}
        """Whether the token is replaced by an age, for the ages that show a difference."""

    def observe(self) -> ProbeSteps[None]:
        """Let three tokens live, from a new one on."""
        yield from renew_well(self._harness)
        if not (yield from self._replaces(self._due * _YOUNG)):
            self._replaced[self._due * _YOUNG] = False
        for age in (self._due + PAST, self._life * _QUIET):
            if (yield from self._replaces(age)):
                self._replaced[age] = True

    @property
    def replaces_in_time(self) -> bool:
        """Whether a token is replaced once it is due."""
        return self._replaced.get(self._due + PAST, False)

    def require_the_same(
        self,
        where: str,
        without: AbstractContextManager[object],
        *,
        early_is_fine: bool = False,
        again: Callable[[float], dt.datetime] | None = None,
    ) -> ProbeSteps[None]:
        """Let as many more tokens live while something is provoked, from a new one on.

        Args:
            where: What is provoked.
            without: Takes that back while it is open.
            early_is_fine: Whether a token may be replaced earlier than otherwise.
            again: Where it is provoked at certain times only: when to request another token that
                lives through one, by the phase.

        Raises:
            ViolationError: The client now replaces its tokens at another age.
        """
        for age, usual in list(self._replaced.items()):
            if again:  # the token of the age before may have been replaced meanwhile
                yield from self._harness.move_to(again(_PHASES[2]))
                yield from self._harness.calls()
            if (yield from self._replaces(age)) == usual or (early_is_fine and not usual):
                continue
            there = yield from self._seen_in_phases(age, again)
            with without:
                otherwise = yield from self._seen_in_phases(age)
            self._harness.require(
                there != {not usual} or otherwise != {usual},
                f"a token of age {moment(age)} was {'still used' if usual else 'replaced'} {where}",
            )
            del self._replaced[age]
            return

    def _seen_in_phases(
        self, age: dt.timedelta, again: Callable[[float], dt.datetime] | None = None
    ) -> ProbeSteps[set[bool]]:
        harness, found = self._harness, set[bool]()
        for phase in _PHASES:
            token = harness.sandbox.tokens.newest
            expiry = token.expires_at if token else harness.now
            late = max(harness.now, expiry) + self._life * (1 + phase)
            yield from harness.move_to(again(phase) if again else late)
            yield from harness.calls()
            found.add((yield from self._replaces(age)))
        return found

    def _replaces(self, age: dt.timedelta) -> ProbeSteps[bool]:
        """Whether the newest token is no longer sent when it reaches this age."""
        harness = self._harness
        token = harness.sandbox.tokens.newest
        yield from harness.move_to_token_age(age)
        mark = len(harness.requests)
        harness.require_success((yield from harness.calls()), f"with a token of age {moment(age)}")
        return all(seen.token is not token for seen in harness.since(mark) if seen.is_api)
