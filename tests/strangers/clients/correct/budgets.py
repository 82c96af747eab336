"""asyncio.timeout as the one budget of a call: attempts, pauses and the token included."""

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Any

import httpx
from strangers.clients.correct.shared import pauses
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    RefusedError,
    TurrisError,
    grant_of,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, TOKEN_PATH, bearer
from strangers.clients.correct.shared.httpx_reading import PLAIN, aread
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct(coroutines=True)
class Budgets:
    """Every call has asyncio.timeout(20); pauses that do not fit are not begun."""

    def __init__(self) -> None:
        self._settings = settings = Settings.from_env()
        self._http = httpx.AsyncClient(
            base_url=settings.base_url, timeout=settings.timeout, headers=PLAIN
        )
        self._lock = asyncio.Lock()
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
        await self._http.aclose()

    async def _call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
    ) -> tuple[int, bytes]:
        headers = headers or {}
        try:
            async with asyncio.timeout(self._settings.timeout) as budget:
                token = await self._token(budget)
                answer = await self._retried(
                    budget, method, path, headers=headers | bearer(token), **arguments
                )
                if answer[0] == 401:
                    token = await self._token(budget, refused=token)
                    answer = await self._retried(
                        budget, method, path, headers=headers | bearer(token), **arguments
                    )
                return answer
        except TimeoutError:
            raise ConnectionLostError("no answer in time") from None

    async def _token(self, budget: asyncio.Timeout, refused: str = "") -> str:
        async with self._lock:
            if self._grant and self._grant.token == refused:
                self._grant = None
            now = time.time()
            age = now - self._asked_at
            if self._grant and 0 <= age <= self._grant.seconds - 300:
                return self._grant.token
            if self._grant and 0 <= age < self._grant.seconds - 60:
                try:
                    await self._ask(budget, now, attempts=1)
                except RefusedError as error:
                    if error.status in {400, 401, 403}:
                        raise
                except TurrisError:
                    pass  # the old token is still good for a while
                return self._grant.token
            await self._ask(budget, now, attempts=3)
            return self._grant.token if self._grant else ""

    async def _ask(self, budget: asyncio.Timeout, now: float, attempts: int) -> None:
        self._grant = grant_of(
            *await self._retried(
                budget, "POST", TOKEN_PATH, attempts, json=self._settings.credentials
            )
        )
        self._asked_at = now

    async def _retried(
        self,
        budget: asyncio.Timeout,
        method: str,
        path: str,
        attempts: int = 3,
        **arguments: Any,
    ) -> tuple[int, bytes]:
        for attempt in range(attempts):
            headers: Any = {}
            answered: tuple[int, bytes] | None = None
            try:
                async with self._http.stream(method, path, **arguments) as answer:
                    headers = answer.headers
                    answered = answer.status_code, await aread(answer)
            except (httpx.HTTPError, ConnectionLostError) as error:
                if attempt == attempts - 1:
                    raise ConnectionLostError(type(error).__name__) from None
            is_last = attempt == attempts - 1
            if answered and (answered[0] not in pauses.RETRIED or is_last):
                return answered
            pause = pauses.pause(headers, attempt, datetime.now(UTC)) + random.uniform(0, 0.1)
            if asyncio.get_running_loop().time() + pause >= (budget.when() or 0.0):
                if answered:
                    return answered
                raise ConnectionLostError("no time for another attempt")
            await asyncio.sleep(pause)
        raise AssertionError("the loop returns or raises")
