"""The four stacks that perform a client's steps: httpx sync and async, requests, aiohttp."""

import asyncio
import threading
import time
from typing import Any

import aiohttp
import httpx
import requests
import urllib3

from .good_client import Alone, Answer, GoodClient, LostError, Pause, Send


class Stack:
    """One client on one HTTP library."""

    is_async = False

    def __init__(self, core: GoodClient) -> None:
        self.core = core
        self.lock = threading.Lock()

    def call(self) -> Any:
        """One GET."""
        return self.run(self.core.call())

    def write(self) -> Any:
        """One POST."""
        return self.run(self.core.write())

    def run(self, flow: Any) -> Any:
        """Perform a flow."""
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
                    reply = time.sleep(seconds)
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

    def __init__(self, core: GoodClient) -> None:
        super().__init__(core)
        self.http = httpx.Client(
            follow_redirects=core.follow_redirects, timeout=core.timeout,
            trust_env=core.trust_env, verify=core.verify,
        )  # fmt: skip

    def send(self, step: Send) -> Any:
        """Send a request."""
        try:
            answer = self.http.request(
                step.method, step.url, headers=step.headers, content=step.body
            )
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return LostError(type(error).__name__)
        if not self.core.keep_cookies:
            self.http.cookies.clear()
        return Answer(answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()


class Requests(Stack):
    """``requests.Session``."""

    def __init__(self, core: GoodClient) -> None:
        super().__init__(core)
        self.http = requests.Session()
        self.http.trust_env = core.trust_env
        self.http.verify = core.verify
        if not core.verify:
            urllib3.disable_warnings()

    def send(self, step: Send) -> Any:
        """Send a request."""
        try:
            answer = self.http.request(
                step.method, step.url, headers=step.headers, data=step.body,
                allow_redirects=self.core.follow_redirects, timeout=self.core.timeout,
            )  # fmt: skip
        except (requests.RequestException, OSError) as error:
            return LostError(type(error).__name__)
        if not self.core.keep_cookies:
            self.http.cookies.clear()
        return Answer(answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()


class AsyncStack(Stack):
    """A stack whose flows are awaited."""

    is_async = True

    def __init__(self, core: GoodClient) -> None:
        super().__init__(core)
        self.alock = asyncio.Lock()

    async def call(self) -> Any:
        """One GET."""
        return await self.arun(self.core.call())

    async def write(self) -> Any:
        """One POST."""
        return await self.arun(self.core.write())

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
                    reply = await asyncio.sleep(seconds)
                case Alone(inner):
                    async with self.alock:
                        reply = await self.arun(inner)

    async def asend(self, step: Send) -> Any:
        """Send a request."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Let go of the connections."""


class AsyncHttpx(AsyncStack):
    """``httpx.AsyncClient``."""

    def __init__(self, core: GoodClient) -> None:
        super().__init__(core)
        self.http = httpx.AsyncClient(
            follow_redirects=core.follow_redirects, timeout=core.timeout,
            trust_env=core.trust_env, verify=core.verify,
        )  # fmt: skip

    async def asend(self, step: Send) -> Any:
        """Send a request."""
        try:
            answer = await self.http.request(
                step.method, step.url, headers=step.headers, content=step.body
            )
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return LostError(type(error).__name__)
        if not self.core.keep_cookies:
            self.http.cookies.clear()
        return Answer(answer.status_code, answer.headers, answer.content)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self.http.aclose()


class Aiohttp(AsyncStack):
    """``aiohttp.ClientSession``."""

    def __init__(self, core: GoodClient) -> None:
        super().__init__(core)
        jar = aiohttp.CookieJar(unsafe=True) if core.keep_cookies else aiohttp.DummyCookieJar()
        self.http = aiohttp.ClientSession(
            cookie_jar=jar, trust_env=core.trust_env,
            timeout=aiohttp.ClientTimeout(core.timeout),
            connector=aiohttp.TCPConnector(ssl=core.verify, limit=100),
        )  # fmt: skip

    async def asend(self, step: Send) -> Any:
        """Send a request."""
        try:
            async with self.http.request(
                step.method, step.url, headers=step.headers, data=step.body,
                allow_redirects=self.core.follow_redirects,
            ) as answer:  # fmt: skip
                return Answer(answer.status, answer.headers, await answer.read())
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return LostError(type(error).__name__)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self.http.close()


STACKS: dict[str, type[Stack]] = {
    "httpx": SyncHttpx, "httpx async": AsyncHttpx, "requests": Requests, "aiohttp": Aiohttp,
}  # fmt: skip
OVER_A_SOCKET = frozenset({"requests", "aiohttp"})
