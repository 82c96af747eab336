"""A transport that wraps another, as the httpx documentation shows for custom transports."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

import httpx
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
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


class BearerTransport(httpx.BaseTransport):
    """Signs each request and asks once more after a 401."""

    def __init__(self, inner: httpx.BaseTransport, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings
        self._lock = threading.Lock()
        self._grant: tuple[Grant, float] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        token = self._token(request)
        request.headers["authorization"] = f"Bearer {token}"
        answer = self._inner.handle_request(request)
        if answer.status_code == 401:
            answer.read()
            answer.close()
            request.headers["authorization"] = f"Bearer {self._token(request, other_than=token)}"
            answer = self._inner.handle_request(request)
        return answer

    def close(self) -> None:
        self._inner.close()

    def _token(self, like: httpx.Request, other_than: str = "") -> str:
        with self._lock:
            if self._grant and self._grant[0].token == other_than:
                self._grant = None
            now = time.time()
            if self._grant:
                grant, asked_at = self._grant
                if asked_at <= now <= asked_at + grant.seconds - 300:
                    return grant.token
            question = httpx.Request(
                "POST",
                f"{self._settings.base_url}/v1/auth/jwt",
                json=self._settings.credentials,
                extensions={"timeout": like.extensions.get("timeout", {})},
            )
            answer = self._inner.handle_request(question)
            try:
                self._grant = grant_of(answer.status_code, answer.read()), now
            finally:
                answer.close()
            return self._grant[0].token


class RetryTransport(httpx.BaseTransport):
    """Retries what may be retried: reads, and writes that carry an idempotency key."""

    def __init__(self, inner: httpx.BaseTransport, attempts: int = 3, budget: float = 30.0) -> None:
        self._inner = inner
        self._attempts = attempts
        self._budget = budget

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        spent = 0.0
        for attempt in range(self._attempts):
            last = attempt == self._attempts - 1
            try:
                answer = self._inner.handle_request(request)
            except httpx.TransportError:
                if last:
                    raise
                pause = 0.5 * 2**attempt
            else:
                if last or answer.status_code not in pauses.RETRIED:
                    return answer
                pause = pauses.pause(answer.headers, attempt, datetime.now(UTC))
                if spent + pause > self._budget:
                    return answer
                answer.close()
            spent += pause
            time.sleep(pause)
        raise AssertionError("the loop returns or raises")

    def close(self) -> None:
        self._inner.close()


@correct()
class HttpxTransports:
    """Two transports around httpx.HTTPTransport: one signs, one retries."""

    def __init__(self) -> None:
        settings = Settings.from_env()
        inner = RetryTransport(httpx.HTTPTransport())
        self._http = httpx.Client(
            base_url=settings.base_url,
            timeout=settings.timeout,
            transport=BearerTransport(inner, settings),
        )

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._send("GET", "/v1/agents"))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._send("GET", f"/v1/agents/{agent_id}"), agent_id)

    def invite(self) -> str:
        invitation = Invitation()
        path = "/v1/downstream-entity-associations/invite"
        return url_of(
            *self._send("POST", path, content=invitation.body, headers=invitation.headers)
        )

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None
        except TurrisError as error:
            raise error.with_traceback(None) from None
        return answer.status_code, answer.content
