"""The two requests that most of the teams make with httpx, with errors of our own."""

from typing import Any

import httpx
from strangers.clients.correct.shared.answers import ConnectionLostError, Grant, grant_of
from strangers.clients.correct.shared.httpx_reading import PLAIN, aread, read
from strangers.clients.correct.shared.settings import Settings

TOKEN_PATH = "/v1/auth/jwt"
INVITE_PATH = "/v1/downstream-entity-associations/invite"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


class Api:
    """A sync httpx client that returns status and body."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.Client(
            base_url=settings.base_url, timeout=settings.timeout, headers=PLAIN
        )

    def ask(self) -> Grant:
        return grant_of(*self.send("POST", TOKEN_PATH, json=self._settings.credentials))

    def send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            with self._http.stream(method, path, **arguments) as answer:
                return answer.status_code, read(answer, self._settings.timeout)
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None

    def close(self) -> None:
        self._http.close()


class AsyncApi:
    """The same for coroutines; callers limit the time of a whole call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.AsyncClient(
            base_url=settings.base_url, timeout=settings.timeout, headers=PLAIN
        )

    async def ask(self) -> Grant:
        return grant_of(*await self.send("POST", TOKEN_PATH, json=self._settings.credentials))

    async def send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            async with self._http.stream(method, path, **arguments) as answer:
                return answer.status_code, await aread(answer)
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None

    async def close(self) -> None:
        await self._http.aclose()
