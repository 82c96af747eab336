import contextlib
from collections.abc import Iterator

import pytest
from doubles.doors.door import Door
from doubles.doors.opening import NAMES, OVER_TLS, UNDER_ENGINES, Doors

from pytest_turris.core.clock import Clock
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import ServerPool
from pytest_turris.time_travel.travel import TimeTravel


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
    """Each door in turn, on a stopped clock, so that whole answers can be compared."""
    name, _, engine = request.param.partition(" under ")
    options = Options(tls=name in OVER_TLS, writes_per_minute=100, rate_headers="always")
    if engine:
        options = options.replaced({"time_engine": engine})
    sandbox, twin = (Sandbox(options, name="contract") for _ in range(2))
    with standing(sandbox, engine, monkeypatch), doors.open(name, sandbox) as client:
        yield Door(client, sandbox, twin)


@contextlib.contextmanager
def standing(sandbox: Sandbox, engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop time: with a time-travel engine, or else for the sandboxes alone."""
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
