"""When a token is thought to end: units, signs, zones, clocks."""

import calendar
import time
from datetime import datetime, timedelta
from typing import Any

import jwt
from strangers.clients.correct.plain import Plain, TokenState
from strangers.clients.correct.shared.answers import Grant, TurrisError, data_of
from strangers.clients.correct.shared.httpx_calls import TOKEN_PATH
from strangers.clients.design import broken


class Kept(TokenState):
    """A token with an ``end`` that was computed when it arrived."""

    end: Any = None

    def usable(self, early: float = 300) -> bool:
        return self.grant is not None and self.before_end(early)

    def before_end(self, early: float) -> bool:
        raise NotImplementedError


class WithState(Plain):
    kind: type[TokenState]

    def __init__(self) -> None:
        super().__init__()
        self.state = self.kind()


@broken("TC-05")
class MillisecondsForSeconds(WithState):
    """expiresIn, in seconds, is added to a time in milliseconds, and so lives 3.6 seconds."""

    class kind(Kept):
        def keep(self, grant: Grant, asked_at: float) -> None:
            self.grant, self.end = grant, asked_at * 1000 + grant.seconds

        def before_end(self, early: float) -> bool:
            return bool(time.time() * 1000 < self.end)


@broken("TC-05")
class SecondsForMilliseconds(WithState):
    """The life in milliseconds, as in the vendor's sample, is compared with an age in seconds."""

    class kind(TokenState):
        def usable(self, early: float = 300) -> bool:
            life, buffer = 60 * 60 * 1000, 5 * 60 * 1000
            return self.grant is not None and time.time() - self.asked_at <= life - buffer


@broken("TC-05")
class NoBuffer(WithState):
    """The buffer is forgotten: a token is used until its very end."""

    class kind(TokenState):
        def usable(self, early: float = 300) -> bool:
            return super().usable(early=0)


@broken("TC-05")
class BufferInSeconds(WithState):
    """A buffer of five seconds where five minutes were meant."""

    class kind(TokenState):
        def usable(self, early: float = 300) -> bool:
            return super().usable(early=5)


@broken("TC-06")
class BufferAdded(WithState):
    """The buffer is added instead of subtracted: expired tokens are sent for five minutes."""

    class kind(TokenState):
        def usable(self, early: float = 300) -> bool:
            return super().usable(early=-300)


@broken("TC-06", "AR-02", "AR-05", "AR-18")
class OldTokenWithoutEnd(Plain):
    """When a renewal fails, the old token is used, however old it is."""

    def refresh(self) -> None:
        try:
            super().refresh()
        except TurrisError:
            if self.state.grant is None:
                raise


@broken("TC-05")
class NegativeAge(WithState):
    """elapsed is computed the wrong way round, so it is never larger than the limit."""

    class kind(TokenState):
        def usable(self, early: float = 300) -> bool:
            elapsed = self.asked_at - time.time()
            return self.grant is not None and elapsed <= self.grant.seconds - early


@broken("TC-05")
class SecondsOfTimedelta(WithState):
    """timedelta.seconds instead of total_seconds(): after a day the age starts again at zero."""

    class kind(TokenState):
        def usable(self, early: float = 300) -> bool:
            if self.grant is None:
                return False
            age = datetime.now() - datetime.fromtimestamp(self.asked_at)
            return age.seconds <= self.grant.seconds - early


@broken("TC-05")
class MinuteOfTheHour(WithState):
    """Compares minutes of the hour: 58 minutes later looks like two minutes earlier."""

    class kind(Kept):
        def keep(self, grant: Grant, asked_at: float) -> None:
            self.grant = grant
            self.end = (datetime.fromtimestamp(asked_at) + timedelta(minutes=55)).minute

        def before_end(self, early: float) -> bool:
            return bool(datetime.now().minute != self.end)


@broken("TC-64")
class LocalTimeAsUtc(WithState):
    """The end is local time without a zone, compared with UTC: hours off outside of London."""

    class kind(Kept):
        def keep(self, grant: Grant, asked_at: float) -> None:
            self.grant = grant
            self.end = datetime.now() + timedelta(seconds=grant.seconds - 300)

        def before_end(self, early: float) -> bool:
            return bool(datetime.utcnow() <= self.end)


@broken("TC-64")
class UtcnowTimestamp(WithState):
    """datetime.utcnow().timestamp() is read as local time, and compared with time.time()."""

    class kind(Kept):
        def keep(self, grant: Grant, asked_at: float) -> None:
            self.grant = grant
            self.end = datetime.utcnow().timestamp() + grant.seconds - 300

        def before_end(self, early: float) -> bool:
            return bool(time.time() <= self.end)


@broken("TC-64")
class NaiveLocalTime(WithState):
    """Naive local times on both sides: when the clocks go back, a token seems an hour younger."""

    class kind(Kept):
        def keep(self, grant: Grant, asked_at: float) -> None:
            self.grant = grant
            self.end = datetime.now() + timedelta(seconds=grant.seconds - 300)

        def before_end(self, early: float) -> bool:
            return bool(datetime.now() <= self.end)


@broken("TC-64")
class MktimeOfGmtime(WithState):
    """time.mktime(time.gmtime()) for the end, calendar.timegm(time.gmtime()) for now."""

    class kind(Kept):
        def keep(self, grant: Grant, asked_at: float) -> None:
            self.grant = grant
            self.end = time.mktime(time.gmtime()) + grant.seconds - 300

        def before_end(self, early: float) -> bool:
            return bool(calendar.timegm(time.gmtime()) < self.end)


@broken("TC-08", "TC-09")
class IssuedInTheFuture(WithState):
    """The token's iat against the local clock: while that is behind, each call asks for a token."""

    class kind(Kept):
        def keep(self, grant: Grant, asked_at: float) -> None:
            claims = jwt.decode(grant.token, options={"verify_signature": False})
            self.grant, self.end = grant, claims["iat"]

        def before_end(self, early: float) -> bool:
            return bool(self.end <= int(time.time()) <= self.end + 3600 - early)


@broken("TC-10")
class AlwaysAnHour(Plain):
    """The life is a constant, whatever expiresIn says: a shorter token is used too long."""

    def ask(self) -> Grant:
        return Grant(super().ask().token, 3600.0)


@broken("TC-11")
class BelievesAnyLife(Plain):
    """float() of any expiresIn: a word crashes it, 1e12 lasts forever, -1 asks each time."""

    def ask(self) -> Grant:
        status, _, body = self.send("POST", TOKEN_PATH, json=self.settings.credentials)
        data = data_of(status, body)
        return Grant(data["accessToken"], float(data["expiresIn"]))


@broken("TC-09", "TC-26")
class ExpFromTheToken(WithState):
    """Reads exp out of the token itself, unverified, and believes it."""

    class kind(Kept):
        def keep(self, grant: Grant, asked_at: float) -> None:
            claims = jwt.decode(grant.token, options={"verify_signature": False})
            self.grant, self.end = grant, claims["exp"]

        def before_end(self, early: float) -> bool:
            return bool(time.time() <= self.end - early)


@broken("TC-05")
class CheckedOnlyOnce(Plain):
    """The age is checked when the client is made and never again: a long-lived client keeps it."""

    def token(self, refused: str = "") -> str:
        with self.lock:
            self.state.drop(refused)
            if self.state.grant is None:
                self.refresh()
            assert self.state.grant is not None
            return self.state.grant.token
