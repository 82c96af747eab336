"""Correct clients of other ordinary designs than the good client's, and two that know no time."""

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .client_steps import Answer, ClientError, LostError, Send, Token, UnexpectedAnswerError
from .good_client import GoodClient

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class NotStrict(GoodClient):
    """Replaces a token at 55:00.000 already."""

    def is_due(self, token: Token) -> bool:
        """>= in place of >."""
        return self.now() - token.at >= token.lifetime - min(self.buffer, token.lifetime / 2)


class Jittered(GoodClient):
    """Replaces a token up to ten minutes early, against a herd of clients."""

    def is_due(self, token: Token) -> bool:
        """At a random moment before the buffer begins."""
        earlier = min(timedelta(minutes=10), token.lifetime / 6) * random.random()  # noqa: S311 - jitter
        return super().is_due(replace(token, lifetime=token.lifetime - earlier))


class TenMinutesAhead(GoodClient):
    """Has a longer buffer than Turris recommends."""

    buffer = timedelta(minutes=15)


class CapturedClock(GoodClient):
    """Ages its tokens by a clock that it stored when its module was imported."""

    deadline = None

    def now(self, clock: Any = time.perf_counter) -> datetime:
        """Seconds since some moment."""
        return _EPOCH + timedelta(seconds=clock())


class CoolsDown(GoodClient):
    """Asks for no token for some seconds after it got none."""

    quiet_until = _EPOCH

    def renew(self) -> Any:
        """Fail at once while the token endpoint is left alone."""
        if self.now() < self.quiet_until:
            raise LostError("the token endpoint failed a moment ago")
        try:
            return (yield from super().renew())
        except ClientError:
            self.quiet_until = self.now() + timedelta(seconds=5)
            raise


class WaitsForAToken(GoodClient):
    """Repeats a token request, with pauses, until there is an answer."""

    def token_answer(self, limit: int) -> Any:
        """However often."""
        del limit
        return (yield from super().token_answer(10_000))


class SuppressesContext(GoodClient):
    """Raises an error in place of another, whose text holds the token."""

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """With ``from None``."""
        outcome = yield send
        try:
            return self.parsed(self.successful(send, outcome))
        except ValueError:
            raise LostError("the call failed") from None

    def successful(self, send: Send, outcome: Any) -> Answer:
        """The answer; else an error with everything in it, as some libraries raise."""
        if isinstance(outcome, Answer) and outcome.status in (200, 201):
            return outcome
        raise ValueError(f"failed: {send.headers} {send.body!r}")


class RefusesStrangeAnswers(GoodClient):
    """Takes documented values only, and raises an error of its own for all others."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """A positive number of seconds."""
        if type(expires_in) is not int or not 0 < expires_in <= 86_400:
            raise UnexpectedAnswerError("no lifetime")
        return timedelta(seconds=expires_in)

    def check_type(self, kind: Any) -> None:
        """RFC 6749 requires the member."""
        if str(kind).lower() != "bearer":
            raise UnexpectedAnswerError("not a bearer token")


class RenewsOnRefusal(GoodClient):
    """Has no clock: it asks for a token when the old one is refused."""

    def is_valid(self, token: Token) -> bool:
        """Until it is refused."""
        return True

    def is_due(self, token: Token) -> bool:
        """Never."""
        return False


class NeverRenews(RenewsOnRefusal):
    """Keeps its first token for ever."""

    def forget(self, token: Token) -> None:
        """Not."""
