"""The everyday client: httpx, a lock, five minutes early, one more try after a 401, a few retries.

The clients with bugs are copies of this one (and of its async twin) with something changed.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from strangers.clients.correct.shared import pauses
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    RefusedError,
    UnreadableAnswerError,
    grant_of,
    record_of,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, TOKEN_PATH
from strangers.clients.correct.shared.httpx_reading import PLAIN, aread, read
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

Answer = tuple[int, httpx.Headers, bytes]
EARLY = 300.0
ATTEMPTS = 3
BUDGET = 60.0
FINAL = {400, 401, 403}


class TokenState:
    """The token, and whether it can still be used."""

    def __init__(self) -> None:
        self.grant: Grant | None = None
        self.asked_at = 0.0

    def usable(self, early: float = EARLY) -> bool:
        if self.grant is None:
            return False
        return 0 <= time.time() - self.asked_at <= self.grant.seconds - early

    def keep(self, grant: Grant, asked_at: float) -> None:
        self.grant, self.asked_at = grant, asked_at

    def drop(self, token: str) -> None:
        if self.grant is not None and self.grant.token == token:
            self.grant = None


@correct()
class Plain:
    """httpx, time.time, a lock; keeps the old token if a refresh fails; three attempts in 60 s."""

    def __init__(self) -> None:
        self.settings = Settings.from_env()
        self.http = self.make_http()
        self.lock = threading.Lock()
        self.state = TokenState()

    def make_http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.settings.base_url, timeout=self.settings.timeout, headers=PLAIN
        )

    def agents(self) -> list[dict[str, Any]]:
        status, _, body = self.call("GET", "/v1/agents")
        return records_of(status, body)

    def agent(self, agent_id: str) -> dict[str, Any]:
        status, _, body = self.call("GET", f"/v1/agents/{agent_id}")
        return record_of(status, body, agent_id)

    def begin_invitation(self) -> Callable[[], str]:
        invitation = Invitation()

        def send() -> str:
            status, _, body = self.call("POST", INVITE_PATH, invitation)
            return url_of(status, body)

        return send

    def invite(self) -> str:
        return self.begin_invitation()()

    def close(self) -> None:
        self.http.close()

    def call(self, method: str, path: str, invitation: Invitation | None = None) -> Answer:
        token = self.token()
        answer = self.signed(method, path, token, invitation)
        if answer[0] == 401:
            token = self.token(refused=token)
            answer = self.signed(method, path, token, invitation)
        return answer

    def signed(
        self, method: str, path: str, token: str, invitation: Invitation | None = None
    ) -> Answer:
        headers = self.headers(token)
        if invitation is None:
            return self.send(method, path, headers=headers)
        headers |= invitation.headers
        return self.send(method, path, headers=headers, content=invitation.body)

    def headers(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}

    def token(self, refused: str = "") -> str:
        with self.lock:
            self.state.drop(refused)
            if not self.state.usable():
                self.refresh()
            assert self.state.grant is not None
            return self.state.grant.token

    def refresh(self) -> None:
        asked_at = time.time()
        try:
            self.state.keep(self.ask(), asked_at)
        except (ConnectionLostError, RefusedError, UnreadableAnswerError) as error:
            final = isinstance(error, RefusedError) and error.status in FINAL
            if final or not self.state.usable(early=10):
                raise

    def ask(self) -> Grant:
        status, _, body = self.send("POST", TOKEN_PATH, json=self.settings.credentials)
        return grant_of(status, body)

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        spent = 0.0
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answer = self.once(method, path, **arguments)
            except ConnectionLostError:
                if last:
                    raise
                wait = 0.5 * 2**attempt
            else:
                if last or answer[0] not in pauses.RETRIED:
                    return answer
                wait = pauses.pause(answer[1], attempt, datetime.now(UTC))
                if spent + wait > BUDGET:
                    return answer
            spent += wait
            self.sleep(wait)
        raise AssertionError("the loop returns or raises")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        try:
            with self.http.stream(method, path, **arguments) as answer:
                return answer.status_code, answer.headers, read(answer, self.settings.timeout)
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None


@correct(coroutines=True)
class PlainAsync:
    """The async twin: asyncio.Lock, asyncio.timeout for each attempt."""

    def __init__(self) -> None:
        self.settings = Settings.from_env()
        self.http = self.make_http()
        self.lock = asyncio.Lock()
        self.state = TokenState()

    def make_http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.settings.base_url, timeout=self.settings.timeout, headers=PLAIN
        )

    async def agents(self) -> list[dict[str, Any]]:
        status, _, body = await self.call("GET", "/v1/agents")
        return records_of(status, body)

    async def agent(self, agent_id: str) -> dict[str, Any]:
        status, _, body = await self.call("GET", f"/v1/agents/{agent_id}")
        return record_of(status, body, agent_id)

    async def invite(self) -> str:
        status, _, body = await self.call("POST", INVITE_PATH, Invitation())
        return url_of(status, body)

    async def close(self) -> None:
        await self.http.aclose()

    async def call(self, method: str, path: str, invitation: Invitation | None = None) -> Answer:
        token = await self.token()
        answer = await self.signed(method, path, token, invitation)
        if answer[0] == 401:
            token = await self.token(refused=token)
            answer = await self.signed(method, path, token, invitation)
        return answer

    async def signed(
        self, method: str, path: str, token: str, invitation: Invitation | None = None
    ) -> Answer:
        headers = {"authorization": f"Bearer {token}"}
        if invitation is None:
            return await self.send(method, path, headers=headers)
        headers |= invitation.headers
        return await self.send(method, path, headers=headers, content=invitation.body)

    async def token(self, refused: str = "") -> str:
        async with self.lock:
            self.state.drop(refused)
            if not self.state.usable():
                await self.refresh()
            assert self.state.grant is not None
            return self.state.grant.token

    async def refresh(self) -> None:
        asked_at = time.time()
        try:
            self.state.keep(await self.ask(), asked_at)
        except (ConnectionLostError, RefusedError, UnreadableAnswerError) as error:
            final = isinstance(error, RefusedError) and error.status in FINAL
            if final or not self.state.usable(early=10):
                raise

    async def ask(self) -> Grant:
        status, _, body = await self.send("POST", TOKEN_PATH, json=self.settings.credentials)
        return grant_of(status, body)

    async def send(self, method: str, path: str, **arguments: Any) -> Answer:
        spent = 0.0
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answer = await self.once(method, path, **arguments)
            except ConnectionLostError:
                if last:
                    raise
                wait = 0.5 * 2**attempt
            else:
                if last or answer[0] not in pauses.RETRIED:
                    return answer
                wait = pauses.pause(answer[1], attempt, datetime.now(UTC))
                if spent + wait > BUDGET:
                    return answer
            spent += wait
            await self.sleep(wait + random.uniform(0, 0.05))
        raise AssertionError("the loop returns or raises")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def once(self, method: str, path: str, **arguments: Any) -> Answer:
        try:
            async with (
                asyncio.timeout(self.settings.timeout),
                self.http.stream(method, path, **arguments) as answer,
            ):
                return answer.status_code, answer.headers, await aread(answer)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ConnectionLostError(type(error).__name__) from None
