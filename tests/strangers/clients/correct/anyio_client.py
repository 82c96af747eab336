"""anyio, so that the same client runs on asyncio and on trio."""

import time
from typing import Any

import anyio
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    RefusedError,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, AsyncApi, bearer
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct(coroutines=True, name="AnyioOnAsyncio")
@correct(coroutines=True, loop="trio", name="AnyioOnTrio")
class AnyioClient:
    """anyio.Lock and anyio.fail_after; one retry after a lost connection."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._api = AsyncApi(self._settings)
        self._lock = anyio.Lock()
        self._grant: Grant | None = None
        self._asked_at = 0.0

    async def agents(self) -> list[dict[str, Any]]:
        return records_of(*await self._call("GET", "/v1/agents"))

    async def invite(self) -> str:
        invitation = Invitation()
        return url_of(
            *await self._call(
                "POST", INVITE_PATH, content=invitation.body, headers=invitation.headers
            )
        )

    async def close(self) -> None:
        await self._api.close()

    async def _call(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            with anyio.fail_after(self._settings.timeout):
                try:
                    return await self._signed(method, path, **arguments)
                except ConnectionLostError:
                    await anyio.sleep(1)
                return await self._signed(method, path, **arguments)
        except TimeoutError:
            raise ConnectionLostError("no answer in time") from None

    async def _signed(
        self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
    ) -> tuple[int, bytes]:
        headers = headers or {}
        token = await self._token()
        answer = await self._api.send(method, path, headers=headers | bearer(token), **arguments)
        if answer[0] == 401:
            async with self._lock:
                if self._grant and self._grant.token == token:
                    self._grant = None
            token = await self._token()
            answer = await self._api.send(
                method, path, headers=headers | bearer(token), **arguments
            )
        return answer

    async def _token(self) -> str:
        async with self._lock:
            now = time.time()
            age = now - self._asked_at
            if self._grant and 0 <= age <= self._grant.seconds - 300:
                return self._grant.token
            try:
                grant = await self._api.ask()
            except (ConnectionLostError, RefusedError) as error:
                hard = isinstance(error, RefusedError) and error.status in {400, 401, 403}
                if self._grant is None or hard or not 0 <= age < self._grant.seconds - 5:
                    raise
                return self._grant.token
            self._grant, self._asked_at = grant, now
            return grant.token
