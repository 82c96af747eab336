"""A wrapper around aiohttp.ClientSession, with a trace that logs methods, paths and times only."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
from strangers.clients.correct.aiohttp_middleware import read
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    RefusedError,
    TurrisError,
    grant_of,
    record_of,
    records_of,
)
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

log = logging.getLogger("turris.client")


def tracing() -> aiohttp.TraceConfig:
    async def start(_session: Any, context: SimpleNamespace, _params: Any) -> None:
        context.start = asyncio.get_running_loop().time()

    async def end(
        _session: Any, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        took = asyncio.get_running_loop().time() - context.start
        log.info("%s %s %d %.3f s", params.method, params.url.path, params.response.status, took)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(start)
    trace.on_request_end.append(end)
    return trace


@correct(coroutines=True, socket=True)
class AiohttpTracing:
    """A session that is opened with the first call; concurrent callers share one token task."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._http: aiohttp.ClientSession | None = None
        self._asking: asyncio.Task[Grant] | None = None
        self._grant: Grant | None = None
        self._asked_at = datetime.now(UTC)

    async def agents(self) -> list[dict[str, Any]]:
        return records_of(*await self._get("/v1/agents"))

    async def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*await self._get(f"/v1/agents/{agent_id}"), agent_id)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _get(self, path: str) -> tuple[int, bytes]:
        token = await self._token()
        status, body = await self._send("GET", path, {"authorization": f"Bearer {token}"})
        if status == 401:
            if self._grant is not None and self._grant.token == token:
                self._grant = None
            token = await self._token()
            status, body = await self._send("GET", path, {"authorization": f"Bearer {token}"})
        return status, body

    async def _token(self) -> str:
        now = datetime.now(UTC)
        if self._grant is not None:
            age = now - self._asked_at
            if timedelta(0) <= age <= timedelta(seconds=self._grant.seconds - 300):
                return self._grant.token
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(now))
            self._asking.add_done_callback(self._asked)
        try:
            return (await asyncio.shield(self._asking)).token
        except (ConnectionLostError, RefusedError) as error:
            final = isinstance(error, RefusedError) and error.status in {400, 401, 403}
            old = self._grant
            if old is None or final or now - self._asked_at >= timedelta(seconds=old.seconds):
                raise
            return old.token

    def _asked(self, done: "asyncio.Task[Grant]") -> None:
        self._asking = None
        if not done.cancelled():
            done.exception()  # every waiter sees it, so it is not logged

    async def _ask(self, now: datetime) -> Grant:
        grant = grant_of(
            *await self._send("POST", "/v1/auth/jwt", {}, json=self._settings.credentials)
        )
        self._grant, self._asked_at = grant, now
        return grant

    async def _send(
        self, method: str, path: str, headers: dict[str, str], **arguments: Any
    ) -> tuple[int, bytes]:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                trace_configs=[tracing()],
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        url = self._settings.base_url + path
        try:
            async with self._http.request(
                method, url, headers=headers, allow_redirects=False, **arguments
            ) as answer:
                return answer.status, await read(answer)
        except TurrisError:
            raise
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ConnectionLostError(type(error).__name__) from None
