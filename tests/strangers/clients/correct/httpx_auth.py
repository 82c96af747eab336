"""httpx's own extension point, as its documentation shows it: a flow that is a generator."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
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

BUFFER = timedelta(minutes=5)


class TurrisAuth(httpx.Auth):
    """Adds the bearer token; on a 401 it asks for another once."""

    requires_response_body = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._grant: Grant | None = None
        self._asked_at = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()
        self._async_lock = asyncio.Lock()

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        with self._lock:
            if not self._fresh():
                asked_at = datetime.now(UTC)
                answer = yield self._question()
                answer.read()
                self._keep(answer, asked_at)
        token = self._sign(request)
        answer = yield request
        if answer.status_code == 401:
            with self._lock:
                if self._grant is not None and self._grant.token == token:
                    self._grant = None
                if not self._fresh():
                    asked_at = datetime.now(UTC)
                    answer = yield self._question()
                    answer.read()
                    self._keep(answer, asked_at)
            self._sign(request)
            yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        async with self._async_lock:
            if not self._fresh():
                asked_at = datetime.now(UTC)
                answer = yield self._question()
                await answer.aread()
                self._keep(answer, asked_at)
        token = self._sign(request)
        answer = yield request
        if answer.status_code == 401:
            async with self._async_lock:
                if self._grant is not None and self._grant.token == token:
                    self._grant = None
                if not self._fresh():
                    asked_at = datetime.now(UTC)
                    answer = yield self._question()
                    await answer.aread()
                    self._keep(answer, asked_at)
            self._sign(request)
            yield request

    def _fresh(self) -> bool:
        if self._grant is None:
            return False
        age = datetime.now(UTC) - self._asked_at
        return timedelta(0) <= age <= timedelta(seconds=self._grant.seconds) - BUFFER

    def _question(self) -> httpx.Request:
        url = f"{self._settings.base_url}/v1/auth/jwt"
        # A request that was not built by the client has no timeout of its own.
        timeout = httpx.Timeout(self._settings.timeout).as_dict()
        return httpx.Request(
            "POST", url, json=self._settings.credentials, extensions={"timeout": timeout}
        )

    def _keep(self, answer: httpx.Response, asked_at: datetime) -> None:
        self._grant = grant_of(answer.status_code, answer.content)
        self._asked_at = asked_at

    def _sign(self, request: httpx.Request) -> str:
        if self._grant is None:
            raise TurrisError("there is no token")
        request.headers["authorization"] = f"Bearer {self._grant.token}"
        return self._grant.token


@correct()
class HttpxAuthFlow:
    """An httpx.Auth flow with a lock around the question, on a sync client."""

    def __init__(self) -> None:
        settings = Settings.from_env()
        self._http = httpx.Client(
            base_url=settings.base_url, auth=TurrisAuth(settings), timeout=settings.timeout
        )

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._send("GET", "/v1/agents"))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._send("GET", f"/v1/agents/{agent_id}"), agent_id)

    def invite(self) -> str:
        return str(self.begin_invitation()())

    def begin_invitation(self) -> Any:
        invitation, path = Invitation(), "/v1/downstream-entity-associations/invite"
        return lambda: url_of(
            *self._send("POST", path, content=invitation.body, headers=invitation.headers)
        )

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status_code, answer.content


@correct(coroutines=True)
class HttpxAuthFlowAsync:
    """The same flow on an async client, with an asyncio.Lock."""

    def __init__(self) -> None:
        settings = Settings.from_env()
        self._http = httpx.AsyncClient(
            base_url=settings.base_url, auth=TurrisAuth(settings), timeout=settings.timeout
        )

    async def agents(self) -> list[dict[str, Any]]:
        return records_of(*await self._send("/v1/agents"))

    async def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*await self._send(f"/v1/agents/{agent_id}"), agent_id)

    async def _send(self, path: str) -> tuple[int, bytes]:
        try:
            answer = await self._http.get(path)
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status_code, answer.content
