"""Real connections, where calls overlap as they do in production."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from agency_directory import AgencyDirectory, ApiError, AsyncAgencyDirectory, Settings

pytestmark = pytest.mark.usefixtures("turris_server")


def test_lists_agents(turris: Any) -> None:
    """The same client works over a socket."""
    turris.agents.add(npn="12345678")

    with AgencyDirectory.from_env() as directory:
        agents = directory.agents() + directory.agents()

    assert [agent.npn for agent in agents] == ["12345678", "12345678"]
    assert turris.token_requests == 1


def test_lists_agents_async(turris: Any) -> None:
    """So does the async client."""
    turris.agents.add(npn="12345678")

    async def main() -> list[str]:
        async with AsyncAgencyDirectory.from_env() as directory:
            return [agent.npn for agent in await directory.agents()]

    assert asyncio.run(main()) == ["12345678"]


def test_one_token_for_many_threads(turris: Any, turris_time: Any) -> None:
    """Threads that start together share one token request, also for a refresh."""
    with AgencyDirectory.from_env() as directory, ThreadPoolExecutor(8) as pool:

        def call_together() -> None:
            ready = threading.Barrier(8)
            list(pool.map(lambda _: (ready.wait(), directory.agents()), range(8)))

        call_together()
        assert turris.token_requests == 1

        turris_time.to_refresh_point()
        call_together()
        assert turris.token_requests == 1

        turris_time.advance(milliseconds=1)
        call_together()
        assert turris.token_requests == 2


def test_one_token_for_many_tasks(turris: Any, turris_time: Any) -> None:
    """Tasks that start together share one token request, also for a refresh."""

    async def main() -> None:
        async with AsyncAgencyDirectory.from_env() as directory:
            await asyncio.gather(*[directory.agents() for _ in range(8)])
            assert turris.token_requests == 1

            turris_time.to_refresh_point()
            await asyncio.gather(*[directory.agents() for _ in range(8)])
            assert turris.token_requests == 1

            turris_time.advance(milliseconds=1)
            await asyncio.gather(*[directory.agents() for _ in range(8)])
            assert turris.token_requests == 2

    asyncio.run(main())


def test_one_new_token_for_many_tasks(turris: Any) -> None:
    """A token that is revoked early is replaced once for all tasks."""

    async def main() -> None:
        async with AsyncAgencyDirectory.from_env() as directory:
            await directory.agents()
            turris.tokens.revoke_all()
            await asyncio.gather(*[directory.agents() for _ in range(8)])

    asyncio.run(main())

    assert turris.token_requests == 2


def test_cancelled_refresh(turris: Any) -> None:
    """A caller that is cancelled during a token request does not block the others."""

    async def main() -> list[Any]:
        async with AsyncAgencyDirectory.from_env() as directory:
            first = asyncio.create_task(directory.agents())
            await asyncio.sleep(0)
            second = asyncio.create_task(directory.agents())
            await asyncio.sleep(0)
            first.cancel()
            return await second

    assert asyncio.run(main()) == []
    assert turris.token_requests <= 2


@pytest.fixture
def detour() -> Iterator[HTTPServer]:
    """A server that redirects every request to another of its paths."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen = seen  # type: ignore[attr-defined] # for the test
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_redirects_are_not_followed(detour: Any) -> None:
    """A redirect of the token request would receive the secret, so it is an error."""
    settings = Settings(f"http://127.0.0.1:{detour.server_port}", "client", "s3cret", "s3cret")

    with AgencyDirectory(settings) as directory, pytest.raises(ApiError, match="307"):
        directory.agents()

    assert detour.seen == ["/v1/auth/jwt"]
