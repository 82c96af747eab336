"""An asyncio task that refreshes in the background."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    TurrisError,
    records_of,
)
from strangers.clients.correct.shared.httpx_calls import AsyncApi, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct(coroutines=True)
class AsyncioTask:
    """A task sleeps until eight minutes before the end; the first caller starts it."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._api = AsyncApi(self._settings)
        self._lock = asyncio.Lock()
        self._grant: Grant | None = None
        self._asked_at = datetime.now(UTC)
        self._task: asyncio.Task[None] | None = None

    async def agents(self) -> list[dict[str, Any]]:
        try:
            async with asyncio.timeout(self._settings.timeout):
                token = await self._token()
                status, body = await self._api.send("GET", "/v1/agents", headers=bearer(token))
                if status == 401:
                    token = await self._token(refused=token)
                    status, body = await self._api.send("GET", "/v1/agents", headers=bearer(token))
        except TimeoutError:
            raise ConnectionLostError("no answer in time") from None
        return records_of(status, body)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._api.close()

    async def _token(self, refused: str = "") -> str:
        async with self._lock:
            if self._grant and self._grant.token == refused:
                self._grant = None
            if not self._fresh(timedelta(minutes=5)):
                await self._refresh()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._keep_fresh())
            assert self._grant is not None
            return self._grant.token

    def _fresh(self, early: timedelta) -> bool:
        if self._grant is None:
            return False
        age = datetime.now(UTC) - self._asked_at
        return timedelta() <= age <= timedelta(seconds=self._grant.seconds) - early

    async def _refresh(self) -> None:
        asked_at = datetime.now(UTC)
        self._grant = await self._api.ask()
        self._asked_at = asked_at

    async def _keep_fresh(self) -> None:
        while self._grant is not None:
            life = timedelta(seconds=self._grant.seconds)
            due = self._asked_at + max(life - timedelta(minutes=8), life / 2)
            left = (due - datetime.now(UTC)).total_seconds()
            if left > 0:
                await asyncio.sleep(left)
                continue
            try:
                async with self._lock, asyncio.timeout(self._settings.timeout):
                    await self._refresh()
            except (TurrisError, TimeoutError):
                await asyncio.sleep(20)
