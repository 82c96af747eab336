"""Retries by libraries: tenacity, backoff, stamina, and a transport of httpx-retries."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import backoff
import httpx
import stamina
import tenacity
from httpx_retries import Retry, RetryTransport
from strangers.clients.correct.shared import pauses
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    TurrisError,
    grant_of,
    record_of,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, TOKEN_PATH, bearer
from strangers.clients.correct.shared.httpx_reading import PLAIN, read
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.correct.shared.tokens import Tokens
from strangers.clients.design import correct


class TransientError(TurrisError):
    """Worth another attempt; ``after`` is what the answer asked for."""

    def __init__(self, status: int, after: float | None) -> None:
        super().__init__(f"Turris answered {status}")
        self.after = after


class Wire:
    """One attempt of a request, with the transient answers as an exception."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.Client(
            base_url=settings.base_url, timeout=settings.timeout, headers=PLAIN
        )

    def once(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            with self._http.stream(method, path, **arguments) as answer:
                body = read(answer, self._settings.timeout)
                if answer.status_code in pauses.RETRIED:
                    after = pauses.asked_for(answer.headers, datetime.now(UTC))
                    raise TransientError(answer.status_code, after)
                return answer.status_code, body
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None

    def close(self) -> None:
        self._http.close()


class Calls:
    """Reads and writes, given a function that sends with retries."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._wire = Wire(self._settings)
        self._tokens = Tokens(self._ask)

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._signed("GET", "/v1/agents"))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._signed("GET", f"/v1/agents/{agent_id}"), agent_id)

    def begin_invitation(self) -> Callable[[], str]:
        invitation = Invitation()
        return lambda: url_of(
            *self._signed("POST", INVITE_PATH, content=invitation.body, headers=invitation.headers)
        )

    def invite(self) -> str:
        return self.begin_invitation()()

    def close(self) -> None:
        self._wire.close()

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        raise NotImplementedError

    def _ask(self) -> Grant:
        return grant_of(*self._send("POST", TOKEN_PATH, json=self._settings.credentials))

    def _signed(
        self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
    ) -> tuple[int, bytes]:
        headers = headers or {}
        token = self._tokens.current()
        status, body = self._send(method, path, headers=headers | bearer(token), **arguments)
        if status == 401:
            token = self._tokens.current(refused=token)
            status, body = self._send(method, path, headers=headers | bearer(token), **arguments)
        return status, body


class WaitAsAsked(tenacity.wait.wait_base):
    """What the answer asks for, else an exponential wait with jitter."""

    _own = tenacity.wait_exponential_jitter(multiplier=0.5, max=8)

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        own = self._own(retry_state)
        return max(own, getattr(error, "after", None) or 0.0)


@correct()
class TenacityRetries(Calls):
    """tenacity.Retrying with a wait of its own, stopped before a wait that would end after 60 s."""

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((TransientError, ConnectionLostError)),
            wait=WaitAsAsked(),
            stop=tenacity.stop_after_attempt(4) | tenacity.stop_before_delay(60),
            reraise=True,
        )
        return retrying(self._wire.once, method, path, **arguments)


@correct()
class BackoffRetries(Calls):
    """backoff.on_exception with full jitter; what asks for a longer wait than that is given up."""

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        return self._retried(method, path, **arguments)

    @backoff.on_exception(
        backoff.expo,
        (TransientError, ConnectionLostError),
        max_tries=4,
        max_time=45,
        giveup=lambda error: bool(getattr(error, "after", None)),
        logger=None,
    )
    def _retried(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        return self._wire.once(method, path, **arguments)


def _worth_it(error: Exception) -> bool | float:
    """Stamina takes a number as the wait."""
    after = getattr(error, "after", None)
    if after is None:
        return isinstance(error, TransientError | ConnectionLostError)
    return after + random.uniform(0.05, 0.5) if after <= 30 else False


@correct()
class StaminaRetries(Calls):
    """stamina.retry_context with a hook that returns the wait which the answer asks for."""

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        for attempt in stamina.retry_context(on=_worth_it, attempts=3, timeout=40.0):
            with attempt:
                return self._wire.once(method, path, **arguments)
        raise AssertionError("stamina returns or raises")


@correct()
class HttpxRetries:
    """RetryTransport of httpx-retries below a plain client, for reads and for the token."""

    def __init__(self) -> None:
        self._settings = settings = Settings.from_env()
        retry = Retry(
            total=3,
            backoff_factor=0.5,
            max_backoff_wait=30,
            allowed_methods=["GET", "POST"],
            status_forcelist=[502, 503, 504],
        )
        self._http = httpx.Client(
            base_url=settings.base_url,
            timeout=settings.timeout,
            transport=RetryTransport(httpx.HTTPTransport(), retry=retry),
        )
        self._tokens = Tokens(
            lambda: grant_of(*self._send("POST", TOKEN_PATH, json=settings.credentials))
        )

    def agents(self) -> list[dict[str, Any]]:
        token = self._tokens.current()
        status, body = self._send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            token = self._tokens.current(refused=token)
            status, body = self._send("GET", "/v1/agents", headers=bearer(token))
        return records_of(status, body)

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            answer = self._http.request(method, path, **arguments)
        except (httpx.HTTPError, ValueError, OverflowError) as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status_code, answer.content


@correct()
class NinetySeconds(Calls):
    """A nightly batch that would rather wait than fail: up to 90 s for each call, in all."""

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        spent, attempt = timedelta(), 0
        while True:
            try:
                return self._wire.once(method, path, **arguments)
            except (TransientError, ConnectionLostError) as error:
                own = min(20.0, 2.0**attempt) + random.uniform(0.0, 1.0)
                wait = timedelta(seconds=min(max(own, getattr(error, "after", None) or 0.0), 9e6))
                if spent + wait > timedelta(seconds=90):
                    raise
            time.sleep(wait.total_seconds())
            spent, attempt = spent + wait, attempt + 1
