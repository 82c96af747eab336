import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pytest_turris.core.clock import Clock
from pytest_turris.core.messages import Request
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.live_fixture import ServerPool
from pytest_turris.time_travel import TimeTravel

from .clients import Answer, Client, Fields
from .opening import OVER_TLS, Doors

NAMES = (
    "httpx", "httpx async", "httpx2", "httpx2 async", "requests",
    "asgi", "live http", "live https", "live requests", "shared http", "shared https",
    "aiohttp", "urllib3", "urllib", "curl", "node fetch", "node http",
)  # fmt: skip
# A door in process and one with a server thread: what the engine does to the others is the same.
UNDER_ENGINES = tuple(
    f"{name} under {engine}"
    for name in ("httpx", "live http")
    for engine in ("freezegun", "time-machine")
)


@dataclass
class Door:
    """A client, the sandbox behind it, and a twin of that sandbox which is asked directly."""

    client: Client
    sandbox: Sandbox
    twin: Sandbox

    @property
    def bearer(self) -> tuple[str, str]:
        """The header of a fresh token, which no rate limit counts."""
        token, known = (box.tokens.issue(box.client).text for box in (self.sandbox, self.twin))
        assert token == known
        return "authorization", f"Bearer {token}"

    def ask_twin(self, method: str, target: str, headers: Fields = (), body: bytes = b"") -> Answer:
        """The same request past any door."""
        path, _, query = target.partition("?")
        answer = self.twin.handle(
            Request(method=method, path=path, query=query, headers=tuple(headers), body=body)
        )
        return Answer(answer.status, list(answer.headers), answer.body)


@pytest.fixture(scope="session")
def pool() -> Iterator[ServerPool]:
    """The servers that ``turris_server`` uses."""
    pool = ServerPool()
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def doors(pool: ServerPool) -> Iterator[Doors]:
    """Opens doors."""
    with contextlib.ExitStack() as files:
        yield Doors(pool, files)


@pytest.fixture(params=[*NAMES, *UNDER_ENGINES])
def door(
    request: pytest.FixtureRequest, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    """Each door in turn, on a clock that stands, so that answers can be compared whole."""
    name, _, engine = request.param.partition(" under ")
    options = Options(tls=name in OVER_TLS, writes_per_minute=100)
    if engine:
        options = options.replaced({"time_engine": engine})
    sandbox, twin = (Sandbox(options, name="contract") for _ in range(2))
    with standing(sandbox, engine, monkeypatch), doors.open(name, sandbox) as client:
        yield Door(client, sandbox, twin)


@contextlib.contextmanager
def standing(sandbox: Sandbox, engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Time stands: by an engine of time travel, or else for the sandboxes alone."""
    if engine:
        travel = TimeTravel(sandbox)
        travel.start()
        try:
            yield
        finally:
            travel.stop()
    else:
        now = Clock.process_time()
        monkeypatch.setattr(Clock, "process_time", staticmethod(lambda: now))
        yield
