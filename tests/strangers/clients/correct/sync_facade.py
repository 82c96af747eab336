"""A sync face on an async core: one event loop in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    record_of,
    records_of,
)
from strangers.clients.correct.shared.httpx_calls import AsyncApi, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

T = TypeVar("T")


class Core:
    """The async client; everything in it runs on one loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = AsyncApi(settings)
        self._lock = asyncio.Lock()
        self._grant: Grant | None = None
        self._asked_at = 0.0

    async def get(self, path: str) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._settings.timeout):
                token = await self._token()
                status, body = await self._api.send("GET", path, headers=bearer(token))
                if status == 401:
                    token = await self._token(refused=token)
                    status, body = await self._api.send("GET", path, headers=bearer(token))
                return status, body
        except TimeoutError:
            raise ConnectionLostError("no answer in time") from None

    async def close(self) -> None:
        await self._api.close()

    async def _token(self, refused: str = "") -> str:
        async with self._lock:
            if self._grant and self._grant.token == refused:
                self._grant = None
            now = time.time()
            if self._grant is None or not 0 <= now - self._asked_at <= self._grant.seconds - 300:
                self._grant = await self._api.ask()
                self._asked_at = now
            return self._grant.token


@correct()
class SyncFacade:
    """run_coroutine_threadsafe for each call; the loop's thread starts with the first one."""

    def __init__(self) -> None:
        self._core = Core(Settings.from_env())
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._run(self._core.get("/v1/agents")))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._run(self._core.get(f"/v1/agents/{agent_id}")), agent_id)

    def close(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._run(self._core.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
