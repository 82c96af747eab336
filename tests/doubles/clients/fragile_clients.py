"""Clients that cannot cope with some hostile answer."""

import json
import logging
import ssl
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .client_steps import Answer, ApiError, LostError, Send, Token, UnexpectedAnswerError
from .good_client import GoodClient


class Naive(GoodClient):
    """The retry loop of the vendor's rate-limit page: no cap, no check."""

    def pause(self, attempt: int, outcome: Any) -> float:
        """Until the reset, whatever that is."""
        reset = outcome.headers.get("x-ratelimit-reset") if isinstance(outcome, Answer) else None
        after = outcome.headers.get("retry-after") if isinstance(outcome, Answer) else None
        if after:
            return float(after)
        return float(int(reset) - self.now().timestamp()) if reset else self.usual_pause(attempt)


class NeverStops(GoodClient):
    """Retries until it works, without a pause."""

    def may_repeat(self, send: Send, error: Any) -> bool:
        """Always."""
        return True

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """Without bounds."""
        return (yield from super().attempts(send, 10**9, hide))

    def pause(self, attempt: int, outcome: Any) -> float:
        """None."""
        return 0.0


class Impatient(GoodClient):
    """Waits a tenth of a second, whatever the answer asks for."""

    def pause(self, attempt: int, outcome: Any) -> float:
        """A little."""
        return 0.1


class TakesAnything(GoodClient):
    """Believes that every answer is what it should be."""

    def parsed(self, answer: Answer) -> Any:
        """Unchecked."""
        return json.loads(answer.body)

    def read_token(self, document: Any, asked_at: datetime) -> Token:
        """Unchecked."""
        text = document["data"]["accessToken"]
        return Token(text, asked_at, self.lifetime(text, document["data"].get("expiresIn")))

    def read(self, document: Any) -> Any:
        """Unchecked."""
        return document["data"]

    def message(self, answer: Answer, hide: tuple[str, ...]) -> str:
        """The first message, as it is."""
        return str(self.parsed(answer)["errorMessage"][0])


class LogsMessages(TakesAnything):
    """Writes the answer's words into the log as they are."""

    def message(self, answer: Answer, hide: tuple[str, ...]) -> str:
        """And log it."""
        text = str(self.parsed(answer).get("errorMessage"))
        message = self.parsed(answer).get("errorMessage")
        logging.getLogger("careless").info(
            "%s", message[0] if isinstance(message, list) and message else text
        )
        return text


class Only201(GoodClient):
    """Takes 201 for a token and nothing else, and the data for granted."""

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """Exact statuses."""
        wanted = 201 if send.url.endswith("/jwt") else 200
        outcome = yield send
        if isinstance(outcome, LostError):
            raise outcome
        if outcome.status != wanted:
            raise ApiError(outcome.status, self.message(outcome, hide))
        return self.parsed(outcome)


class NeedsEverything(GoodClient):
    """Cannot do without requestId and rate limit headers."""

    def read(self, document: dict[str, Any]) -> Any:
        """With requestId."""
        if set(document) != {"data", "requestId", "timestamp"}:
            raise UnexpectedAnswerError("not the envelope of the documentation")
        return super().read(document)

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """With x-ratelimit-limit at the token endpoint."""
        outcome = yield send
        if isinstance(outcome, Answer) and send.url.endswith("/jwt"):
            int(outcome.headers["x-ratelimit-limit"])
        if isinstance(outcome, LostError):
            raise outcome
        if outcome.status not in (200, 201):
            raise ApiError(outcome.status, self.message(outcome, hide))
        return self.parsed(outcome)


class WarnsByFailing(GoodClient):
    """A deprecated answer is an error."""

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """As a failure."""
        outcome = yield send
        if isinstance(outcome, Answer) and outcome.headers.get("deprecation"):
            raise UnexpectedAnswerError("deprecated")
        if isinstance(outcome, LostError):
            raise outcome
        if outcome.status not in (200, 201):
            raise ApiError(outcome.status, self.message(outcome, hide))
        return self.parsed(outcome)


class ReadsDatesCarelessly(GoodClient):
    """Does not know what email.utils raises for a year of twenty digits."""

    def retry_after(self, answer: Answer) -> float:
        """As its documentation says."""
        try:
            moment = parsedate_to_datetime(answer.headers.get("retry-after", ""))
        except ValueError:
            return super().retry_after(answer)
        return (moment - self.now()).total_seconds()


class KeepsCookies(GoodClient):
    """A session that remembers."""

    keep_cookies = True


class FollowsForEver(GoodClient):
    """Follows redirects by itself, without counting."""

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """Wherever it goes on."""
        outcome = yield send
        while isinstance(outcome, Answer) and 300 <= outcome.status < 400:
            target = outcome.headers.get("location", "")
            if not target.startswith("/"):
                break
            outcome = yield Send(send.method, self.base_url + target, send.headers, send.body)
        if isinstance(outcome, LostError):
            raise outcome
        if outcome.status not in (200, 201):
            raise ApiError(outcome.status, self.message(outcome, hide))
        return self.parsed(outcome)


class CrashesOnLongHeaders(GoodClient):
    """A fixed table of header fields."""

    def note(self, send: Send, outcome: Any) -> None:
        """No room for more."""
        if isinstance(outcome, Answer) and len(list(outcome.headers)) > 50:
            raise IndexError("too many header fields")


class NoBounds(GoodClient):
    """Reads whatever comes, for as long as it comes."""

    largest = None
    deadline = None


class WaitsForEver(NoBounds):
    """No timeout at all."""

    timeout = None


class BelievesEverything(TakesAnything):
    """Takes the bytes before a broken connection for the whole answer."""

    keep_partial = True


class NeedsLength(GoodClient):
    """Refuses answers without Content-Length."""

    def note(self, send: Send, outcome: Any) -> None:
        """As a failure."""
        if isinstance(outcome, Answer) and "content-length" not in outcome.headers:
            raise UnexpectedAnswerError("no length")


class TakesAnyRecord(GoodClient):
    """Does not look at what the answer is about."""

    def check_record(self, data: Any, wanted: str) -> None:
        """Not checked."""


class AnyTime(GoodClient):
    """Ignores from when and until when a certificate holds."""

    def context(self) -> Any:
        """With OpenSSL's X509_V_FLAG_NO_CHECK_TIME."""
        context = super().context()
        if context:
            context.verify_flags |= 0x200000
        return context


class AnyName(GoodClient):
    """Ignores for whom a certificate was issued."""

    def context(self) -> Any:
        """Of any host."""
        context = super().context()
        if context:
            context.check_hostname = False
        return context


class AnyTls(GoodClient):
    """Speaks TLS 1.0, if it must."""

    def context(self) -> Any:
        """With everything that OpenSSL can do."""
        context = super().context()
        if context:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        return context
