"""The sync and the async client: the only module that uses HTTP."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Concatenate, ParamSpec, Self, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

import httpx

from agency_directory import calls
from agency_directory.errors import ConnectionLostError, UnauthorizedError
from agency_directory.exchange import (
    Answer,
    Call,
    Flow,
    Locked,
    Outcome,
    Pause,
    Send,
    Step,
    attempts,
)
from agency_directory.pace import WritePace
from agency_directory.reading import Body
from agency_directory.settings import Settings
from agency_directory.token import TokenCache

TIMEOUT = 10.0

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs complete URLs, and ours contain NPNs

P = ParamSpec("P")
T = TypeVar("T")
OfLoops: TypeAlias = WeakKeyDictionary[
    asyncio.AbstractEventLoop, tuple[httpx.AsyncClient, asyncio.Lock]
]


def _sync(
    operation: Callable[P, Call[T]],
) -> Callable[Concatenate["AgencyDirectory", P], T]:
    def method(self: "AgencyDirectory", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.perform(operation(*args, **kwargs))

    method.__doc__ = operation.__doc__
    return method


def _async(
    operation: Callable[P, Call[T]],
) -> Callable[Concatenate["AsyncAgencyDirectory", P], Coroutine[Any, Any, T]]:
    async def method(self: "AsyncAgencyDirectory", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.perform(operation(*args, **kwargs))

    method.__doc__ = operation.__doc__
    return method


class AgencyDirectory:
    """The sync client. Threads can share it: it holds one token and one connection pool."""

    def __init__(
        self,
        settings: Settings,
        *,
        timeout: float = TIMEOUT,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._http = httpx.Client(**_options(settings, timeout))
        self._tokens = TokenCache(settings)
        self._pace = WritePace()
        self._lock = threading.Lock()
        self._sleep = sleep

    @classmethod
    def from_env(
        cls, *, timeout: float = TIMEOUT, sleep: Callable[[float], object] = time.sleep
    ) -> Self:
        """Configure the client with the environment variables ``TURRIS_*``."""
        return cls(Settings.from_env(), timeout=timeout, sleep=sleep)

    agents = _sync(calls.agents)
    agent = _sync(calls.agent)
    add_agent = _sync(calls.add_agent)
    agencies = _sync(calls.agencies)
    agency = _sync(calls.agency)
    invite_agency = _sync(calls.invite_agency)

    def perform(self, call: Call[T]) -> T:
        """Make a call and return its result."""
        return self._run(_authorized(call, self._tokens, self._pace))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        outcome: object = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as done:
                return cast("T", done.value)
            outcome = self._take(step)

    def _take(self, step: Step) -> object:
        match step:
            case Send():
                return self._send(step)
            case Pause(seconds):
                return self._sleep(seconds)
            case Locked(flow):
                with self._lock:
                    return self._run(flow)

    def _send(self, step: Send) -> Outcome:
        body = Body()
        try:
            with self._http.stream(**_request(step)) as response:
                for piece in response.iter_bytes():
                    body.take(piece)
        except ConnectionLostError as error:
            return error
        except httpx.RequestError as error:
            return _lost(error)
        return _answer(response, body)


class AsyncAgencyDirectory:
    """The async client. All tasks can share it, of several event loops too."""

    def __init__(
        self,
        settings: Settings,
        *,
        timeout: float = TIMEOUT,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._options = _options(settings, timeout)
        self._tokens = TokenCache(settings)
        self._pace = WritePace()
        self._loops: OfLoops = WeakKeyDictionary()
        self._sleep = sleep

    @classmethod
    def from_env(
        cls,
        *,
        timeout: float = TIMEOUT,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> Self:
        """Configure the client with the environment variables ``TURRIS_*``."""
        return cls(Settings.from_env(), timeout=timeout, sleep=sleep)

    agents = _async(calls.agents)
    agent = _async(calls.agent)
    add_agent = _async(calls.add_agent)
    agencies = _async(calls.agencies)
    agency = _async(calls.agency)
    invite_agency = _async(calls.invite_agency)

    async def perform(self, call: Call[T]) -> T:
        """Make a call and return its result."""
        return await self._run(_authorized(call, self._tokens, self._pace))

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        http, _ = self._here()
        await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.aclose()

    def _here(self) -> tuple[httpx.AsyncClient, asyncio.Lock]:
        """Return what belongs to the running event loop: the connections and the lock."""
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            self._loops[loop] = (httpx.AsyncClient(**self._options), asyncio.Lock())
        return self._loops[loop]

    async def _run(self, flow: Flow[T]) -> T:
        outcome: object = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as done:
                return cast("T", done.value)
            outcome = await self._take(step)

    async def _take(self, step: Step) -> object:
        match step:
            case Send():
                return await self._send(step)
            case Pause(seconds):
                return await self._sleep(seconds)
            case Locked(flow):
                async with self._here()[1]:
                    return await self._run(flow)

    async def _send(self, step: Send) -> Outcome:
        body = Body()
        try:
            async with self._here()[0].stream(**_request(step)) as response:
                async for piece in response.aiter_bytes():
                    body.take(piece)
        except ConnectionLostError as error:
            return error
        except httpx.RequestError as error:
            return _lost(error)
        return _answer(response, body)


def _authorized(call: Call[T], tokens: TokenCache, pace: WritePace) -> Flow[T]:
    """Make the call with a token, and repeat it once with a new one if Turris refuses the first."""
    if call.method != "GET":
        yield from pace.turn()
    token = yield from tokens.access_token()
    try:
        return (yield from attempts(call, token))
    except UnauthorizedError:
        tokens.forget(token)
    token = yield from tokens.access_token()
    return (yield from attempts(call, token))


def _options(settings: Settings, timeout: float) -> dict[str, Any]:
    return {
        "base_url": settings.base_url,
        "headers": {"Accept": "application/json", "User-Agent": "agency-directory/0.1"},
        "timeout": httpx.Timeout(timeout),
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # the API is stateless
        "follow_redirects": False,  # a redirect would receive the credentials
    }


def _request(step: Send) -> dict[str, Any]:
    call = step.call
    return {
        "method": call.method,
        "url": call.path,
        "params": call.params,
        "json": call.json,
        "headers": step.headers,
    }


def _answer(response: httpx.Response, body: Body) -> Answer:
    try:
        document = json.loads(bytes(body))
    except (ValueError, RecursionError):
        document = None
    return Answer(
        response.status_code,
        document if isinstance(document, dict) else {},
        rate_limit_reset=response.headers.get("X-RateLimit-Reset", ""),
        retry_after=response.headers.get("Retry-After", ""),
    )


def _lost(error: httpx.RequestError) -> ConnectionLostError:
    """Keep only the kind of failure: its text and its request can contain the token."""
    return ConnectionLostError(type(error).__name__)
