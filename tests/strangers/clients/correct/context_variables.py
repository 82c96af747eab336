"""The client in a context variable: handlers find it without passing it around."""

import asyncio
import contextvars
import time
from typing import Any

from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    record_of,
    records_of,
)
from strangers.clients.correct.shared.httpx_calls import AsyncApi, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

_current: contextvars.ContextVar["Session"] = contextvars.ContextVar("turris_session")


class Session:
    """What all handlers of one application share; one asyncio.Future for concurrent callers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.api = AsyncApi(settings)
        self._grant: Grant | None = None
        self._asked_at = 0.0
        self._pending: asyncio.Future[Grant] | None = None

    async def token(self, refused: str = "") -> str:
        if self._grant and self._grant.token == refused:
            self._grant = None
        now = time.time()
        if self._grant and 0 <= now - self._asked_at <= self._grant.seconds - 300:
            return self._grant.token
        if self._pending is not None:
            return (await asyncio.shield(self._pending)).token
        self._pending = pending = asyncio.get_running_loop().create_future()
        try:
            grant = await self.api.ask()
        except asyncio.CancelledError:
            pending.set_exception(ConnectionLostError("the caller that asked was cancelled"))
            pending.exception()
            raise
        except Exception as error:
            pending.set_exception(error)
            pending.exception()  # read once, so that a lonely failure is not logged
            raise
        else:
            self._grant, self._asked_at = grant, now
            pending.set_result(grant)
            return grant.token
        finally:
            self._pending = None


async def get(path: str) -> tuple[int, bytes]:
    session = _current.get()
    try:
        async with asyncio.timeout(session.settings.timeout):
            for _ in range(2):
                try:
                    token = await session.token()
                    break
                except ConnectionLostError:
                    continue
            else:
                token = await session.token()
            status, body = await session.api.send("GET", path, headers=bearer(token))
            if status == 401:
                token = await session.token(refused=token)
                status, body = await session.api.send("GET", path, headers=bearer(token))
            return status, body
    except TimeoutError:
        raise ConnectionLostError("no answer in time") from None


@correct(coroutines=True)
class ContextVariables:
    """Single flight by an asyncio.Future; a waiter asks itself if the asker was cancelled."""

    def __init__(self) -> None:
        self._session = Session(Settings.from_env())

    async def agents(self) -> list[dict[str, Any]]:
        _current.set(self._session)
        return records_of(*await get("/v1/agents"))

    async def agent(self, agent_id: str) -> dict[str, Any]:
        _current.set(self._session)
        return record_of(*await get(f"/v1/agents/{agent_id}"), agent_id)

    async def close(self) -> None:
        await self._session.api.close()
