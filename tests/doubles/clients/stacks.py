"""The four stacks that perform a client's steps: httpx sync and async, requests, aiohttp."""

import asyncio
import os
import threading
import time
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
import httpx
import requests
import urllib3

from .client_steps import Alone, LostError, Pause, Send
from .good_client import GoodClient
from .reading import Reading


class Stack:
    """One client on one HTTP library."""

    is_async = False

    def __init__(self, core: GoodClient) -> None:
        self.core = core
        self.lock = threading.Lock()
        self.pid = os.getpid()
        self.connect()

    def connect(self) -> None:
        """Make what sends the requests."""

    def check_process(self) -> None:
        """After a fork neither a lock nor a connection is one's own."""
        if self.core.fork_safe and self.pid != os.getpid():
            self.lock, self.pid = threading.Lock(), os.getpid()
            self.connect()

    def call(self) -> Any:
        """One GET."""
        return self.run(self.core.call())

    def write(self) -> Any:
        """One POST."""
        return self.run(self.core.write())

    def record(self) -> Any:
        """One GET of one record."""
        return self.run(self.core.record())

    def operation(self) -> Any:
        """Begin one POST."""
        perform = self.core.operation()
        return lambda: self.run(perform())

    def run(self, flow: Any) -> Any:
        """Perform a flow."""
        self.check_process()
        reply: Any = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as done:
                return done.value
            match step:
                case Send():
                    reply = self.send(step)
                case Pause(seconds):
                    time.sleep(seconds)
                    reply = None
                case Alone(inner):
                    with self.lock:
                        reply = self.run(inner)

    def send(self, step: Send) -> Any:
        """Send a request."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the connections."""


class SyncHttpx(Stack):
    """``httpx.Client``."""

    def connect(self) -> None:
        """A pool of connections."""
        core = self.core
        self.http = httpx.Client(
            follow_redirects=core.follow_redirects, timeout=core.timeout,
            trust_env=core.trust_env, verify=core.context() or core.verify,
        )  # fmt: skip

    def send(self, step: Send) -> Any:
        """Send a request."""
        try:
            with self.http.stream(
                step.method, step.url, headers=step.headers, content=step.body
            ) as answer:
                reading = Reading(self.core, answer.status_code, answer.headers)
                with reading.ends():
                    for piece in answer.iter_bytes():
                        reading.take(piece)
        except LostError as error:
            return error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return LostError(type(error).__name__)
        if not self.core.keep_cookies:
            self.http.cookies.clear()
        return reading.answer()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()


class Requests(Stack):
    """``requests.Session``."""

    def connect(self) -> None:
        """A pool of connections."""
        core = self.core
        self.http = requests.Session()
        self.http.trust_env = core.trust_env
        self.http.verify = core.verify and (os.environ.get("SSL_CERT_FILE") or True)
        if not core.verify:
            urllib3.disable_warnings()

    def send(self, step: Send) -> Any:
        """Send a request."""
        try:
            with self.http.request(
                step.method, step.url, headers=step.headers, data=step.body, stream=True,
                allow_redirects=self.core.follow_redirects, timeout=self.core.timeout,
            ) as answer:  # fmt: skip
                reading = Reading(self.core, answer.status_code, answer.headers)
                with reading.ends():
                    # Not iter_content: that waits until its buffer is full.
                    while piece := answer.raw.read1(65_536, decode_content=True):
                        reading.take(piece)
        except LostError as error:
            return error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return LostError(type(error).__name__)
        if not self.core.keep_cookies:
            self.http.cookies.clear()
        return reading.answer()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()


class AsyncStack(Stack):
    """A stack whose flows are awaited."""

    is_async = True

    def connect(self) -> None:
        """Nothing yet: locks and connections belong to one event loop each."""
        self.of_loops: WeakKeyDictionary[Any, tuple[Any, asyncio.Lock]] = WeakKeyDictionary()
        self.first: Any = None

    def own(self) -> tuple[Any, asyncio.Lock]:
        """The connections and the lock of the running event loop."""
        loop = asyncio.get_running_loop()
        self.first = self.first or loop
        if self.core.one_loop:
            loop = self.first
        if loop not in self.of_loops:
            self.of_loops[loop] = (self.new_http(), asyncio.Lock())
        return self.of_loops[loop]

    def new_http(self) -> Any:
        """What sends the requests of one event loop."""
        raise NotImplementedError

    async def call(self) -> Any:
        """One GET."""
        try:
            return await self.arun(self.core.call())
        except asyncio.CancelledError:
            if self.core.swallows:
                return None
            raise

    async def write(self) -> Any:
        """One POST."""
        return await self.arun(self.core.write())

    def operation(self) -> Any:
        """Begin one POST."""
        perform = self.core.operation()
        return lambda: self.arun(perform())

    async def record(self) -> Any:
        """One GET of one record."""
        return await self.arun(self.core.record())

    async def arun(self, flow: Any) -> Any:
        """Perform a flow."""
        reply: Any = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as done:
                return done.value
            match step:
                case Send():
                    reply = await self.asend(step)
                case Pause(seconds):
                    await self.pause(seconds)
                    reply = None
                case Alone(inner):
                    async with self.own()[1]:
                        reply = await self.arun(inner)

    async def pause(self, seconds: float) -> None:
        """Wait."""
        if self.core.blocking:
            time.sleep(seconds)  # noqa: ASYNC251 - its bug
        else:
            await asyncio.sleep(seconds)

    async def asend(self, step: Send) -> Any:
        """Send a request."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Let go of the connections."""


class AsyncHttpx(AsyncStack):
    """``httpx.AsyncClient``."""

    def new_http(self) -> httpx.AsyncClient:
        """A pool of connections."""
        core = self.core
        return httpx.AsyncClient(
            follow_redirects=core.follow_redirects, timeout=core.timeout,
            trust_env=core.trust_env, verify=core.context() or core.verify,
        )  # fmt: skip

    async def asend(self, step: Send) -> Any:
        """Send a request."""
        try:
            async with self.own()[0].stream(
                step.method, step.url, headers=step.headers, content=step.body
            ) as answer:
                reading = Reading(self.core, answer.status_code, answer.headers)
                with reading.ends():
                    async for piece in answer.aiter_bytes():
                        reading.take(piece)
        except LostError as error:
            return error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return LostError(type(error).__name__)
        if not self.core.keep_cookies:
            self.own()[0].cookies.clear()
        return reading.answer()

    async def aclose(self) -> None:
        """Let go of the connections."""
        for http, _ in self.of_loops.values():
            await http.aclose()


class Aiohttp(AsyncStack):
    """``aiohttp.ClientSession``."""

    def new_http(self) -> aiohttp.ClientSession:
        """A pool of connections."""
        core = self.core
        jar = aiohttp.CookieJar(unsafe=True) if core.keep_cookies else aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(
            cookie_jar=jar, trust_env=core.trust_env,
            timeout=aiohttp.ClientTimeout(
                core.deadline, sock_connect=core.timeout, sock_read=core.timeout
            ),
            connector=aiohttp.TCPConnector(
                # No connection outlives an event loop that ends without a word.
                ssl=core.context() or core.verify, limit=100, force_close=bool(self.of_loops),
            ),
        )  # fmt: skip

    async def asend(self, step: Send) -> Any:
        """Send a request."""
        try:
            async with self.own()[0].request(
                step.method, step.url, headers=step.headers, data=step.body,
                allow_redirects=self.core.follow_redirects,
            ) as answer:  # fmt: skip
                reading = Reading(self.core, answer.status, answer.headers)
                with reading.ends():
                    async for piece in answer.content.iter_chunked(65_536):
                        reading.take(piece)
                return reading.answer()
        except LostError as error:
            return error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return LostError(type(error).__name__)

    async def aclose(self) -> None:
        """Let go of the connections."""
        for http, _ in self.of_loops.values():
            await http.close()


STACKS: dict[str, type[Stack]] = {
    "httpx": SyncHttpx, "httpx async": AsyncHttpx, "requests": Requests, "aiohttp": Aiohttp,
}  # fmt: skip
OVER_A_SOCKET = frozenset({"requests", "aiohttp"})
