"""Each operation through each door: its success and each of its refusals."""

import asyncio
from collections.abc import Callable, Iterator

import httpx
import pytest
from doubles.api_recipes import CASES, Sent, World, refused

from pytest_turris.core.api.openapi import REASONS
from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.in_process.httpx import httpx_door
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.server import LiveServer

HOST = "https://public.api.sandbox.turrisfi.com"
Handle = Callable[[Request], Response]
Door = Callable[[Handle, Sent], httpx.Response]

DOCUMENTED_ROWS = 36


class Behind:
    """The handle behind a server that outlives a test."""

    def __init__(self) -> None:
        self.handle: Handle | None = None

    def __call__(self, request: Request) -> Response:
        """Answer as the current sandbox does."""
        assert self.handle is not None
        return self.handle(request)


def through_httpx(handle: Handle, sent: Sent) -> httpx.Response:
    """In process, through the patched client."""
    with httpx_door(handle), httpx.Client(base_url=HOST) as client:
        return client.request(sent.method, sent.target, headers=sent.headers, content=sent.body)


def through_asgi(handle: Handle, sent: Sent) -> httpx.Response:
    """Through the ASGI application."""

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(asgi_app(handle))
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            return await client.request(
                sent.method, sent.target, headers=sent.headers, content=sent.body
            )

    return asyncio.run(answer())


@pytest.fixture(scope="module")
def through_socket() -> Iterator[Door]:
    """Through a real socket."""
    behind = Behind()
    server = LiveServer(asgi_app(behind))
    with httpx.Client(base_url=server.base_url, trust_env=False) as client:

        def send(handle: Handle, sent: Sent) -> httpx.Response:
            behind.handle = handle
            return client.request(sent.method, sent.target, headers=sent.headers, content=sent.body)

        yield send
    server.stop()


@pytest.fixture(params=["httpx", "asgi", "socket"])
def door(request: pytest.FixtureRequest) -> Door:
    """Each door in turn."""
    if request.param == "socket":
        return request.getfixturevalue("through_socket")  # type: ignore[no-any-return] # a Door
    return {"httpx": through_httpx, "asgi": through_asgi}[request.param]


@pytest.mark.parametrize(
    ("operation", "status"), CASES, ids=[f"{o.name}-{status}" for o, status in CASES]
)
def test_each_answer_of_each_operation_through_each_door(
    operation: Operation, status: int, door: Door
) -> None:
    """The status is that of the description, and the body has its shape."""
    world = World()
    good = status == operation.status
    sent = world.request(operation) if good else refused(world, operation, status)
    response = door(world.sandbox.handle, sent)
    assert response.status_code == status, response.text
    if not good:
        assert response.json()["statusCode"] == status
        assert response.json()["errorMessage"]
    elif operation.answer is None and operation.method != "GET":
        assert response.content == b""
    elif operation.enveloped:
        assert list(response.json()) == ["data", "requestId", "timestamp"]
        assert isinstance(response.json()["data"], list) == operation.many
    if operation.deprecated and status not in (401, 403, 413):
        assert response.headers["deprecation"] == "true"
        assert response.headers["sunset"] == "Sat, 01 Jan 2027 00:00:00 GMT"
        assert "docs.turrisfi.com/migration" in response.headers["link"]


def test_every_documented_row_is_in_the_route_table() -> None:
    """At least the 36 rows of the reference whose path is known, or derived from one that is."""
    assert sum(operation.documented for operation in OPERATIONS) >= DOCUMENTED_ROWS
    assert {status for _, status in CASES} | {409} >= set(REASONS), "409 needs an option"
    ids = [operation.operation_id for operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
