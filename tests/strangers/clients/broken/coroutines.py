"""asyncio: blocking, cancelling, loops."""

import asyncio
import contextlib
import time
from typing import Any

import httpx
from strangers.clients.correct.plain import Answer, PlainAsync
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    TurrisError,
    grant_of,
)
from strangers.clients.correct.shared.httpx_calls import TOKEN_PATH
from strangers.clients.correct.shared.httpx_reading import PLAIN
from strangers.clients.design import broken


@broken("TC-66", coroutines=True)
class BlockingSleep(PlainAsync):
    """time.sleep in a coroutine: all tasks of the process wait for one call's retry."""

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@broken("TC-66", coroutines=True)
class BlockingTokenRequest(PlainAsync):
    """The token is asked for with the sync httpx inside a coroutine: the loop stands meanwhile."""

    async def ask(self) -> Grant:
        try:
            answer = httpx.post(
                self.settings.base_url + TOKEN_PATH,
                json=self.settings.credentials,
                timeout=self.settings.timeout,
            )
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None
        return grant_of(answer.status_code, answer.content)


@broken("TC-67", coroutines=True)
class SwallowsCancellation(PlainAsync):
    """except BaseException turns a cancellation into a retry: a task cannot be stopped."""

    async def send(self, method: str, path: str, **arguments: Any) -> Answer:
        for _ in range(3):
            try:
                return await super().send(method, path, **arguments)
            except TurrisError:
                raise
            except BaseException:  # the network is shaky
                await asyncio.sleep(0.1)
        raise ConnectionLostError("three attempts failed")


@broken("TC-67", coroutines=True)
class SuppressesCancellation(PlainAsync):
    """contextlib.suppress(CancelledError) around the refresh: the cancelled call goes on."""

    async def refresh(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await super().refresh()
            return
        asked_at = time.time()
        self.state.keep(await self.ask(), asked_at)


@broken("TC-43", coroutines=True)
class MarkerStaysAfterCancel(PlainAsync):
    """A future for concurrent callers is not resolved if the one who asks is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: asyncio.Future[str] | None = None

    async def token(self, refused: str = "") -> str:
        self.state.drop(refused)
        if self.state.usable() and self.state.grant:
            return self.state.grant.token
        if self.pending is not None:
            return await asyncio.wait_for(asyncio.shield(self.pending), 5)
        self.pending = pending = asyncio.get_running_loop().create_future()
        try:
            asked_at = time.time()
            grant = await self.ask()
        except Exception as error:
            self.pending = None
            pending.set_exception(error)
            pending.exception()
            raise
        self.state.keep(grant, asked_at)
        self.pending = None
        pending.set_result(grant.token)
        return grant.token


@broken("TC-43", coroutines=True)
class SharesTheFirstCallersTask(PlainAsync):
    """All callers await the first one's refresh unshielded: cancelling one cancels all."""

    refreshing: "asyncio.Task[None] | None" = None

    async def token(self, refused: str = "") -> str:
        self.state.drop(refused)
        if not self.state.usable():
            if self.refreshing is None or self.refreshing.done():
                self.refreshing = asyncio.create_task(self.refresh())
            await self.refreshing
        if self.state.grant is None:
            raise TurrisError("there is no token")
        return self.state.grant.token


@broken("TC-02", "TC-03", coroutines=True)
class NoAsyncLock(PlainAsync):
    """There are no threads, so we need no lock: but there is an await between check and update."""

    async def token(self, refused: str = "") -> str:
        self.state.drop(refused)
        if not self.state.usable():
            await self.refresh()
        assert self.state.grant is not None
        return self.state.grant.token


class LoopLock:
    """A lock that is made on the first loop that needs it, as before Python 3.10."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            raise RuntimeError("this lock is bound to a different event loop")
        self._loop = loop
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


@broken("TC-69", coroutines=True)
class LoopBoundLock(PlainAsync):
    """The lock belongs to the first event loop: a second asyncio.run() fails on it."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = LoopLock()  # type: ignore[assignment] # it is used like one


@broken("TC-69", coroutines=True)
class TaskOfADeadLoop(PlainAsync):
    """Caches the task that fetched the token; in a second event loop it cannot be awaited."""

    fetched: "asyncio.Future[Grant] | None" = None
    at = 0.0

    async def token(self, refused: str = "") -> str:
        async with self.lock:
            old = self.fetched
            done = old is not None and old.done() and not old.cancelled()
            bad = old is not None and done and (old.exception() or old.result().token == refused)
            if old is None or bad or not 0 <= time.time() - self.at <= 3300:
                self.at = time.time()
                self.fetched = asyncio.get_running_loop().create_future()
                try:
                    self.fetched.set_result(await self.ask())
                except BaseException:
                    self.fetched = None
                    raise
            assert self.fetched is not None
            if self.fetched.get_loop() is not asyncio.get_running_loop():
                await asyncio.wait_for(asyncio.shield(self.fetched), 5)
            return self.fetched.result().token


@broken("AR-33", "TC-38", coroutines=True)
class NoDeadline(PlainAsync):
    """httpx without a timeout, and no asyncio.timeout around the call."""

    def make_http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.settings.base_url, timeout=None, headers=PLAIN)

    async def once(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = await self.http.request(method, path, **arguments)
        return answer.status_code, answer.headers, answer.content


@broken("TC-42", coroutines=True)
class GathersRetries(PlainAsync):
    """Each task retries a failing token request by itself: fifty tasks make 250 requests."""

    async def token(self, refused: str = "") -> str:
        self.state.drop(refused)
        for attempt in range(5):
            try:
                async with self.lock:
                    if not self.state.usable():
                        await self.refresh()
                    assert self.state.grant is not None
                    return self.state.grant.token
            except TurrisError:
                if attempt == 4:
                    raise
                await asyncio.sleep(0.1)
        raise AssertionError("the loop returns or raises")
