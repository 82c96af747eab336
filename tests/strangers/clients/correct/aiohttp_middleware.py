"""aiohttp's client middlewares, as its documentation shows for an API that takes tokens."""

import asyncio
import time
from typing import Any

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from strangers.clients.correct.shared.answers import (
    MAX_BYTES,
    ConnectionLostError,
    Grant,
    UnreadableAnswerError,
    grant_of,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


async def read(answer: ClientResponse) -> bytes:
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > MAX_BYTES:
            raise UnreadableAnswerError("the answer is too large")
    return bytes(body)


class TokenMiddleware:
    """Sets Authorization; after a 401 the same request goes out once more."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._grant: Grant | None = None
        self._asked_at = 0.0

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        token = await self._token(request.session)
        request.headers["Authorization"] = f"Bearer {token}"
        answer = await handler(request)
        if answer.status == 401:
            token = await self._token(request.session, refused=token)
            request.headers["Authorization"] = f"Bearer {token}"
            answer = await handler(request)
        return answer

    async def _token(self, session: aiohttp.ClientSession, refused: str = "") -> str:
        async with self._lock:
            if self._grant and self._grant.token == refused:
                self._grant = None
            now = time.time()
            if self._grant is None or not 0 <= now - self._asked_at <= self._grant.seconds - 300:
                async with session.post(
                    f"{self._settings.base_url}/v1/auth/jwt",
                    json=self._settings.credentials,
                    allow_redirects=False,
                    middlewares=(),
                ) as answer:
                    self._grant = grant_of(answer.status, await read(answer))
                self._asked_at = now
            return self._grant.token


@correct(coroutines=True, socket=True)
class AiohttpMiddleware:
    """A ClientSession with one middleware; auto_decompress is off, cookies are not kept."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._http: aiohttp.ClientSession | None = None

    async def agents(self) -> list[dict[str, Any]]:
        return records_of(*await self._send("GET", "/v1/agents"))

    async def invite(self) -> str:
        invitation = Invitation()
        path = "/v1/downstream-entity-associations/invite"
        sent = self._send("POST", path, data=invitation.body, headers=invitation.headers)
        return url_of(*await sent)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
                middlewares=(TokenMiddleware(self._settings),),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers={"accept-encoding": "identity"},
            )
        return self._http

    async def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            async with self._session().request(
                method, self._settings.base_url + path, allow_redirects=False, **arguments
            ) as answer:
                return answer.status, await read(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ConnectionLostError(type(error).__name__) from None
