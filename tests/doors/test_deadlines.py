"""A deadline or a timeout ends a call whose answer is late, as it does over a socket."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, Literal, NamedTuple

import anyio
import httpx
import httpx2
import pytest
import requests
import trio

from pytest_turris import Sandbox, TimeTravel
from pytest_turris.core.wire.hosts import HOSTS

URL = f"https://{HOSTS['sandbox']}/v1/auth/jwt"
LATE = dt.timedelta(minutes=10)

_Call = Callable[[], Awaitable[Any]]


class Within(NamedTuple):
    """A deadline, and the event loop that it is for."""

    deadline: Callable[[_Call, float], Any]
    engine: Callable[..., Any]


async def _timeout(call: _Call, seconds: float) -> Any:  # noqa: ANN401 - an answer
    async with asyncio.timeout(seconds):
        return await call()


async def _wait_for(call: _Call, seconds: float) -> Any:  # noqa: ANN401 - an answer
    return await asyncio.wait_for(call(), seconds)


async def _fail_after(call: _Call, seconds: float) -> Any:  # noqa: ANN401 - an answer
    with anyio.fail_after(seconds):
        return await call()


async def _trio_fail_after(call: _Call, seconds: float) -> Any:  # noqa: ANN401 - an answer
    with trio.fail_after(seconds):
        return await call()


DEADLINES = [
    pytest.param(Within(_timeout, asyncio.run), id="asyncio.timeout"),
    pytest.param(Within(_wait_for, asyncio.run), id="asyncio.wait_for"),
    pytest.param(Within(_fail_after, anyio.run), id="anyio.fail_after"),
    pytest.param(
        Within(_fail_after, lambda main: anyio.run(main, backend="trio")), id="anyio with trio"
    ),
    pytest.param(Within(_trio_fail_after, trio.run), id="trio.fail_after"),
]


def run(
    turris: Sandbox,
    library: ModuleType,
    within: Within,
    seconds: float,
    timeout: float | None = None,
) -> Any:  # noqa: ANN401 - an answer of either library
    """Post a token request under a deadline; nothing is awaited after the answer."""
    client_id, secret = turris.client.client_id, turris.client.client_secret
    known = {"clientId": client_id, "clientSecret": str(secret)}

    async def main() -> Any:  # noqa: ANN401 - as above
        async with library.AsyncClient(timeout=timeout) as client:
            return await within.deadline(lambda: client.post(URL, json=known), seconds)

    return within.engine(main() if within.engine is asyncio.run else main)


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("within", DEADLINES)
@pytest.mark.parametrize("fault", [{}, {"status": 503}, {"error": "reset"}], ids=str)
def test_deadline_ends_a_call_whose_answer_is_late(
    library: ModuleType,
    within: Within,
    fault: dict[str, Any],
    turris: Sandbox,
    turris_time: TimeTravel,
) -> None:
    """It passed before the answer or the error."""
    turris.faults.add("get_oauth_token", delay=LATE, **fault)
    with pytest.raises((TimeoutError, trio.TooSlowError)):
        run(turris, library, within, 5)


@pytest.mark.parametrize("within", DEADLINES)
def test_deadline_comes_before_a_longer_timeout(
    within: Within, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """That of the client ends the wait, but later."""
    turris.faults.add("get_oauth_token", delay=LATE)
    with pytest.raises((TimeoutError, trio.TooSlowError)):
        run(turris, httpx, within, 5, timeout=30.0)


@pytest.mark.parametrize("within", DEADLINES)
@pytest.mark.parametrize("fault", [{}, {"error": "reset"}], ids=str)
def test_later_deadline_lets_the_call_end(
    within: Within,
    fault: dict[str, Any],
    turris: Sandbox,
    turris_time: TimeTravel,
) -> None:
    """The answer, the error or the client's own timeout comes first."""
    turris.faults.add("get_oauth_token", times=2, delay=LATE, **fault)
    with pytest.raises(httpx.ReadTimeout):
        run(turris, httpx, within, 700, 5.0)
    if fault:
        with pytest.raises(httpx.ReadError):
            run(turris, httpx, within, 700)
    else:
        assert run(turris, httpx, within, 700).status_code == 201


@pytest.mark.parametrize("error", ["connect", "reset"])
@pytest.mark.parametrize("library", [httpx, httpx2, requests])
def test_timeout_comes_before_a_late_error(
    library: ModuleType, error: Literal["connect", "reset"], turris: Sandbox
) -> None:
    """The client has given up before the connection breaks."""
    turris.faults.add("get_oauth_token", delay=LATE, error=error)
    before = turris.clock.now()
    timeout = requests.ReadTimeout if library is requests else library.ReadTimeout
    with pytest.raises(timeout):
        library.post(URL, json={}, timeout=5)
    assert dt.timedelta(seconds=5) <= turris.clock.now() - before < LATE
