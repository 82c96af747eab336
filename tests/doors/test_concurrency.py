"""Doors in process let others run before they answer, as a network does.

A client that looks for its token or keys, finds none and asks, without a lock, asks as often as
it has callers. In a test it must do so too, or the mistake is found in production.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import anyio
import httpx
import httpx2
import pytest
import requests
from doubles.doors.clients import NO_VERIFY

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.opening import open_doors

CALLERS = 8


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with all doors open."""
    sandbox = Sandbox()
    with open_doors(sandbox):
        yield sandbox


class Tokens:
    """A client of many tasks, which keeps its token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = f"{sandbox.base_url}/v1/auth/jwt"
        self.credentials = {
            "clientId": sandbox.client.client_id,
            "clientSecret": sandbox.client.client_secret,
        }
        self.token = ""

    async def use(self, post: Callable[..., Any]) -> None:
        """Have a token."""
        if not self.token:
            answer = await post(self.url, json=self.credentials)
            self.token = answer.json()["data"]["accessToken"]


class Keys:
    """A client of many threads, which keeps Turris' public keys: nothing to sign, no I/O."""

    def __init__(self, sandbox: Sandbox, lock: AbstractContextManager[Any]) -> None:
        self.url = f"{sandbox.base_url}/.well-known/jwks.json"
        self.lock = lock
        self.keys: list[Any] = []

    def use(self, get: Callable[..., Any]) -> None:
        """Have the keys."""
        with self.lock:
            if not self.keys:
                self.keys = get(self.url, timeout=5).json()["keys"]


def rush(use: Callable[[], None]) -> None:
    """Many threads at once."""
    start = threading.Barrier(CALLERS)

    def run() -> None:
        start.wait()
        use()

    threads = [threading.Thread(target=run) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


class UntilAllAreHere:
    """Replaces the moment for which a door gives way: it lasts until all callers have arrived.

    Where a lock lets them come one by one, the first waits in vain, and the others do not wait.
    """

    def __init__(self, max_seconds: float) -> None:
        self.barrier = threading.Barrier(CALLERS)
        self.max_seconds = max_seconds

    def acquire(self, *, timeout: float) -> None:
        """Wait for the others; ``timeout`` is the moment that a door gives by itself."""
        with contextlib.suppress(threading.BrokenBarrierError):
            self.barrier.wait(self.max_seconds)


SYNC: dict[str, Callable[[], Any]] = {
    "httpx": lambda: httpx.Client(verify=NO_VERIFY),
    "httpx2": lambda: httpx2.Client(verify=NO_VERIFY),
    "requests": requests.Session,
}


@pytest.mark.parametrize("library", SYNC)
@pytest.mark.parametrize("locked", [False, True])
def test_threads_without_a_lock_ask_many_times(
    sandbox: Sandbox, library: str, locked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that find no keys ask before the first is answered; with a lock only one does."""
    meeting = UntilAllAreHere(max_seconds=0.05 if locked else 10)
    monkeypatch.setattr("pytest_turris.doors.in_process.sharing._HELD_LOCK", meeting)
    keys = Keys(sandbox, threading.Lock() if locked else nullcontext())
    with SYNC[library]() as client:
        rush(lambda: keys.use(client.get))
    assert (len(sandbox.journal) == 1) is locked
    assert len(sandbox.journal) == (1 if locked else CALLERS)
    assert meeting.barrier.broken is locked


ASYNC = {"httpx": httpx.AsyncClient, "httpx2": httpx2.AsyncClient}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("library", ASYNC)
@pytest.mark.parametrize("locked", [False, True])
def test_tasks_without_a_lock_buy_many_tokens(
    sandbox: Sandbox, library: str, backend: str, locked: bool
) -> None:
    """All tasks find no token, on asyncio and on trio; with a lock only the first one does."""
    tokens = Tokens(sandbox)

    async def use(post: Callable[..., Any], lock: anyio.Lock) -> None:
        if locked:
            async with lock:
                await tokens.use(post)
        else:
            await tokens.use(post)

    async def main() -> None:
        lock = anyio.Lock()
        async with ASYNC[library](verify=NO_VERIFY) as client, anyio.create_task_group() as tasks:
            for _ in range(CALLERS):
                tasks.start_soon(use, client.post, lock)

    anyio.run(main, backend=backend)
    assert sandbox.token_requests == (1 if locked else CALLERS)


def test_nobody_sleeps_visibly(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that replaces ``time.sleep`` to count its own client's waits sees no other."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    keys = Keys(sandbox, nullcontext())
    with requests.Session() as client:
        rush(lambda: keys.use(client.get))
    assert slept == []
