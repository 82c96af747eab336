"""Retries: how many, how long, and of what."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import tenacity
from strangers.clients.correct.plain import Answer, Plain
from strangers.clients.correct.shared.answers import ConnectionLostError, TurrisError
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH
from strangers.clients.design import broken


@broken("AR-18", "AR-30")
class RetriesForEver(Plain):
    """while True with pauses of one second: an outage keeps every worker busy to its end."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for _ in range(500):
            answer = self.once(method, path, **arguments)
            if answer[0] not in {429, 500, 502, 503, 504}:
                return answer
            self.sleep(1)
        return answer


@broken("AR-25", "AR-19")
class IgnoresRetryAfter(Plain):
    """A fixed pause of 0.3 seconds, whatever the answer asks for."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for _ in range(5):
            answer = self.once(method, path, **arguments)
            if answer[0] not in {429, 503}:
                break
            self.sleep(0.3)
        return answer


@broken("AR-26", "AR-28")
class HotLoop(Plain):
    """Sleeps until X-RateLimit-Reset, which may be over: then it does not sleep at all."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for _ in range(30):
            answer = self.once(method, path, **arguments)
            if answer[0] != 429:
                break
            reset = float(answer[1].get("x-ratelimit-reset", "0"))
            self.sleep(min(60.0, max(0.0, reset - time.time())))
        return answer


@broken("AR-27", "AR-19", "TC-49")
class SleepsAsLongAsAsked(Plain):
    """time.sleep(int(Retry-After)) without a limit: an answer can stop the worker for a century."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = self.once(method, path, **arguments)
        if answer[0] in {429, 503}:
            after = answer[1].get("retry-after", "")
            reset = answer[1].get("x-ratelimit-reset", "")
            if after.isdigit():
                self.sleep(int(after))
            elif reset.isdigit():
                self.sleep(max(1.0, int(reset) - time.time()))
            answer = self.once(method, path, **arguments)
        return answer


@broken("AR-19", "AR-28")
class CrashesOnRetryAfter(Plain):
    """int(headers["Retry-After"]): a date, or a word, raises a bare ValueError."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = self.once(method, path, **arguments)
        if answer[0] in {429, 503}:
            self.sleep(
                min(30, int(answer[1].get("retry-after", answer[1].get("x-ratelimit-reset", "1"))))
            )
            answer = self.once(method, path, **arguments)
        return answer


@broken("AR-19")
class CrashesOnDates(Plain):
    """parsedate_to_datetime unguarded, and a date without a zone compared with one that has it."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = self.once(method, path, **arguments)
        if answer[0] == 503:
            text = answer[1].get("retry-after", "1")
            if text.isdigit():
                wait = float(text)
            else:
                wait = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
            self.sleep(max(0.5, min(wait, 20.0)))
            answer = self.once(method, path, **arguments)
        return answer


@broken("TC-62", "AR-18")
class MultipliedRetries(Plain):
    """tenacity around a method that already retries, around another: 3 x 3 x 3 requests."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_fixed(1),
            retry=tenacity.retry_if_result(lambda answer: answer[0] >= 500),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        return retrying(super().call, method, path, invitation)

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for _ in range(3):
            answer = super().send(method, path, **arguments)
            if answer[0] < 500:
                break
            self.sleep(1)
        return answer


@broken("AR-14")
class RetriesClientErrors(Plain):
    """Everything from 400 up is retried: a 404 and a 422 are asked for four times."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for attempt in range(4):
            answer = super().send(method, path, **arguments)
            if answer[0] < 400 or answer[0] in {401, 403}:
                break
            self.sleep(0.5 * 2**attempt)
        return answer


@broken("AR-31")
class FirstHeaderWins(Plain):
    """Believes X-RateLimit-Reset and does not look at Retry-After, which asks for more."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for _ in range(3):
            answer = self.once(method, path, **arguments)
            if answer[0] != 429:
                break
            reset = answer[1].get("x-ratelimit-reset") or answer[1].get("retry-after") or ""
            wait = int(reset) - time.time() if reset.isdigit() else 1.0
            self.sleep(min(20.0, max(0.5, wait)))
        return answer


@broken("AR-29", "AR-27")
class SleepsOnTheServersClock(Plain):
    """reset minus now, by two clocks that differ: ten minutes of skew are ten minutes of sleep."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for _ in range(2):
            answer = self.once(method, path, **arguments)
            if answer[0] != 429:
                break
            text = answer[1].get("x-ratelimit-reset", "")
            wait = float(text) - time.time() if text.isdigit() and text.isascii() else 1.0
            self.sleep(min(3600.0, max(0.5, wait)))
        return answer


@broken("AR-30")
class LimitForEachAttempt(Plain):
    """Each wait is limited to two minutes, the call is not: ten attempts take twenty minutes."""

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for _ in range(10):
            answer = self.once(method, path, **arguments)
            if answer[0] != 429:
                break
            text = answer[1].get("retry-after", "")
            self.sleep(min(120, int(text)) if text.isdigit() and text.isascii() else 1.0)
        return answer


@broken("TC-46")
class UsedUpBody(Plain):
    """The body of a write is a generator: the retry sends an empty one."""

    def signed(self, method: str, path: str, token: str, invitation: Any = None) -> Answer:
        if invitation is None:
            return super().signed(method, path, token)
        body = self._parts(invitation.body)
        headers = {
            **self.headers(token),
            **invitation.headers,
            "content-length": str(len(invitation.body)),
        }
        for attempt in range(2):
            try:
                return self.once(method, path, headers=headers, content=body)
            except (ConnectionLostError, httpx.StreamError) as error:
                if attempt:
                    raise TurrisError("the body could not be sent again") from error
                self.sleep(0.5)
                headers.pop("content-length", None)
                body = self._rest(body)
        raise AssertionError("the loop returns or raises")

    @staticmethod
    def _parts(body: bytes) -> Iterator[bytes]:
        yield body

    @staticmethod
    def _rest(body: Iterator[bytes]) -> Iterator[bytes]:
        yield from body


@broken("TC-39", "AR-20")
class RetriesWithoutKey(Plain):
    """Writes are retried like reads but carry no idempotency key: an invitation goes out twice."""

    def signed(self, method: str, path: str, token: str, invitation: Any = None) -> Answer:
        if invitation is None:
            return super().signed(method, path, token)
        headers = self.headers(token) | {"content-type": "application/json"}
        return self.send(method, INVITE_PATH, headers=headers, content=invitation.body)
