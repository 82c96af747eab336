from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pytest_turris.core.clock import Clock
from pytest_turris.core.messages import Request
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.live_fixture import ServerPool

from .clients import Answer, Client, Doors, Fields

NAMES = (
    "httpx", "httpx async", "httpx2", "httpx2 async", "requests",
    "asgi", "live http", "live https", "live requests",
)  # fmt: skip


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
def doors(pool: ServerPool) -> Doors:
    """Opens doors."""
    return Doors(pool)


@pytest.fixture(params=NAMES)
def door(
    request: pytest.FixtureRequest, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    """Each door in turn, on a clock that stands, so that answers can be compared whole."""
    now = Clock.process_time()
    monkeypatch.setattr(Clock, "process_time", staticmethod(lambda: now))
    options = Options(tls=request.param == "live https", writes_per_minute=100)
    sandbox, twin = (Sandbox(options, name="contract") for _ in range(2))
    with doors.open(request.param, sandbox) as client:
        yield Door(client, sandbox, twin)
