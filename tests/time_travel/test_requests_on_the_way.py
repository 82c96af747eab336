"""A request of a background task is answered before the clock goes on."""

import datetime as dt
import time
from collections.abc import Callable

import anyio
import httpx
import pytest

from pytest_turris import Sandbox, Server, TimeTravel
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response

BACKENDS = ["asyncio", "trio"]
HTTPS = pytest.param("https", marks=pytest.mark.turris(tls=True))


def at_once(request: Request, handle: Handle) -> Response:
    """Answer as fast as the machine does."""
    return handle(request)


def busy(request: Request, handle: Handle) -> Response:
    """Compute before the answer for longer than a thread keeps the interpreter."""
    end = time.process_time() + 0.03
    while time.process_time() < end:
        pass
    return handle(request)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("answer", [at_once, busy])
@pytest.mark.parametrize(
    "scheme", ["http", pytest.param("https", marks=pytest.mark.turris(tls=True))]
)
def test_request_of_a_background_task_is_answered_in_time(
    *,
    backend: str,
    answer: Callable[[Request, Handle], Response],
    scheme: str,
    turris: Sandbox,
    turris_server: Server,
    turris_time: TimeTravel,
) -> None:
    """``aadvance`` stops at the request, not at its timeout of 20 seconds."""
    answers: list[tuple[dt.timedelta, object]] = []
    client_id, secret = turris.client.client_id, turris.client.client_secret
    known = {"clientId": client_id, "clientSecret": str(secret)}
    verify = turris_server.client_context() if scheme == "https" else True

    async def refresh(http: httpx.AsyncClient) -> None:
        begun = turris_time.now
        while True:
            await anyio.sleep(600)
            try:
                with anyio.fail_after(20):
                    outcome: object = (await http.post("/v1/auth/jwt", json=known)).status_code
            except (TimeoutError, httpx.HTTPError) as error:
                outcome = error
            answers.append((turris_time.now - begun, outcome))

    async def main() -> None:
        base = turris_server.base_url
        async with (
            httpx.AsyncClient(base_url=base, timeout=20, verify=verify) as http,
            anyio.create_task_group() as group,
        ):
            group.start_soon(refresh, http)
            await turris_time.aadvance(minutes=35)
            group.cancel_scope.cancel()

    with turris.interceptors.use(answer):
        anyio.run(main, backend=backend)
    assert answers == [(dt.timedelta(minutes=minutes), 201) for minutes in (10, 20, 30)]
