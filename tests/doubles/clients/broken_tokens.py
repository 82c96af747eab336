"""How often a client asks for tokens, and when it replaces them: one bug in each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from .client_steps import ApiError, LostError, Send, Token
from .good_client import GoodClient


class FetchesForEachCall(GoodClient):
    """TC-01: no cache."""

    def ready(self) -> None:
        """Never."""


class NoLock(GoodClient):
    """TC-02, TC-03: nothing keeps two from asking at once."""

    exclusive = False


class NoLockOnRefresh(GoodClient):
    """TC-03: each caller that waited for the lock replaces the token."""

    def renew(self) -> Any:
        """Ask, even if another caller just did."""
        if self.token is None:
            return (yield from super().renew())
        asked_at = self.now()
        answer = yield from self.token_answer(1)
        self.token = self.read_token(answer, asked_at)
        return self.token


class AsksWhenMade(GoodClient):
    """TC-04: the token of a new client is asked for twice."""

    def renew(self) -> Any:
        """Ask twice."""
        if self.token is None:
            yield from self.token_answer(1)
        return (yield from super().renew())


class NoBuffer(GoodClient):
    """TC-05: used until its last moment."""

    buffer = timedelta(0)


class NotStrict(GoodClient):
    """TC-05: replaced at 55:00.000 already."""

    def is_due(self, token: Token) -> bool:
        """>= in place of >."""
        return self.now() - token.at >= token.lifetime - min(self.buffer, token.lifetime / 2)


class BufferInverted(GoodClient):
    """TC-06: the buffer added."""

    def is_due(self, token: Token) -> bool:
        """+ in place of -."""
        return self.now() - token.at > token.lifetime + self.buffer

    def is_valid(self, token: Token) -> bool:
        """Always."""
        return True


class OldTokenWithoutEnd(GoodClient):
    """TC-06: the old token is used if a renewal fails, however old it is."""

    def spare(self) -> Token | None:
        """Any."""
        return self.token


class AgedFromTheAnswer(GoodClient):
    """TC-07."""

    def issued_at(self, asked_at: datetime) -> datetime:
        """When it arrived."""
        del asked_at
        return self.now()


class LoopsOnJumps(GoodClient):
    """TC-08: what was issued in the future is never right, and the clock is compared for good."""

    latest = datetime.min.replace(tzinfo=UTC)

    def ready(self) -> Token | None:
        """None while the clock is behind what it once was."""
        self.latest = max(self.latest, self.now())
        return super().ready() if self.now() >= self.latest else None


class BelievesTheServersClock(GoodClient):
    """TC-09: iat and exp against the local clock."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """Until exp."""
        claims = jwt.decode(text, options={"verify_signature": False})
        return datetime.fromtimestamp(claims["exp"], UTC) - self.now()


class AlwaysAnHour(GoodClient):
    """TC-10: expiresIn is not read."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """An hour."""
        return self.usual_life


class BelievesExpiresIn(GoodClient):
    """TC-11: int() of whatever comes."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """As said."""
        return timedelta(seconds=min(int(expires_in), 10**9))


class NoSecondTry(GoodClient):
    """TC-12."""

    def tries(self) -> tuple[bool, ...]:
        """One."""
        return (True,)


class TriesFiveTimes(GoodClient):
    """TC-13."""

    def tries(self) -> tuple[bool, ...]:
        """Five."""
        return (False, False, False, False, True)


class RetriesRefusedCredentials(GoodClient):
    """TC-14, TC-23: a 401 is one more error to retry."""

    def may_repeat(self, send: Send, error: Any) -> bool:
        """The token request always."""
        return send.url.endswith("/jwt") or super().may_repeat(send, error)


class RefreshesOnForbidden(GoodClient):
    """TC-15."""

    def is_token_trouble(self, error: ApiError) -> bool:
        """401 and 403 alike."""
        return error.status in (401, 403)


class KeepsRefusedToken(GoodClient):
    """TC-22."""

    def forget(self, token: Token) -> None:
        """Not."""


class NoTimeout(GoodClient):
    """TC-38."""

    timeout = None


class DropsTheOldToken(GoodClient):
    """TC-41."""

    def spare(self) -> None:
        """None."""


class Storm(GoodClient):
    """TC-42."""

    def postpone(self) -> None:
        """Not."""


class MarksInFlight(GoodClient):
    """TC-43: the marker of a cancelled refresh stays."""

    refreshing = False

    def renew(self) -> Any:
        """One at a time, by a marker that only success clears."""
        if self.refreshing:
            raise LostError("a refresh is under way")
        self.refreshing = True
        token = yield from super().renew()
        self.refreshing = False
        return token


class NotMadeForForks(GoodClient):
    """TC-44: locks and connections are those of the parent."""

    fork_safe = False
