"""A client of httpx goes where a URL may go, unless it answers in this process."""

import asyncio
import socket
from typing import Any

import httpx
import httpx2
import pytest
from starlette.testclient import TestClient

from pytest_turris.receivers.egress import EgressRefused
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.webhooks.factory import WebhookFactory

LIBRARIES = (httpx, httpx2)
REFUSED = (
    "http://evil.test",
    "http://169.254.169.254",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://0xa9.0xfe.0xa9.0xfe",
    "http://u:p@evil.test/path",
    "http://localhost.evil.test",
)


@pytest.fixture(autouse=True)
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were given to the resolver, which knows this machine alone."""
    names: list[str] = []

    def getaddrinfo(host: Any, port: Any, *_: object, **__: object) -> list[tuple[object, ...]]:  # noqa: ANN401 - as the original
        names.append(str(host))
        if host not in ("127.0.0.1", "localhost"):
            raise socket.gaierror("no such name")
        kind = socket.AF_INET, socket.SOCK_STREAM, 6
        return [(*kind, "", ("127.0.0.1", int(port)))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("base", REFUSED)
def test_a_base_url_is_checked(
    webhooks: WebhookFactory,
    looked_up: list[str],
    library: Any,  # noqa: ANN401 - two modules
    base: str,
) -> None:
    """Nothing is looked up, with a synchronous client and with an asynchronous one."""

    async def deliver() -> None:
        async with library.AsyncClient(base_url=base) as client:
            await webhooks.sign(b"{}").asend(client)

    with library.Client(base_url=base) as client, pytest.raises(EgressRefused):
        webhooks.sign(b"{}").send(client)
    with pytest.raises(EgressRefused):
        asyncio.run(deliver())
    assert looked_up == []


def test_another_host_is_checked(webhooks: WebhookFactory, looked_up: list[str]) -> None:
    """As it replaces the host of the base URL."""
    with (
        httpx.Client(base_url="http://127.0.0.1:9") as client,
        pytest.raises(EgressRefused, match=r"evil\.test"),
    ):
        webhooks.sign(b"{}").send(client, host="evil.test")
    assert looked_up == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_proxy_is_checked(webhooks: WebhookFactory, looked_up: list[str], library: Any) -> None:  # noqa: ANN401 - two modules
    """The request would go there."""
    for options in ({"proxy": "http://evil.test:3128"}, {"proxy": "http://[2001:db8::1]:3128"}):
        with (
            library.Client(base_url="http://127.0.0.1:9", **options) as client,
            pytest.raises(EgressRefused, match="3128"),
        ):
            webhooks.sign(b"{}").send(client)
    assert set(looked_up) <= {"127.0.0.1"}


def test_an_allowed_host_is_reached(webhooks: WebhookFactory, looked_up: list[str]) -> None:
    """The check lets through what ``allow`` holds, and this machine."""
    with httpx.Client(base_url="http://127.0.0.1:9") as client, pytest.raises(httpx.ConnectError):
        webhooks.sign(b"{}").send(client)
    with (
        httpx.Client(base_url="http://api.test:1") as client,
        pytest.raises(EgressRefused, match=r"does not resolve"),
    ):
        webhooks.sign(b"{}").send(client, allow=["api.test:1"])
    assert "api.test" in looked_up


def test_a_client_in_this_process_may_have_any_base_url(
    webhooks: WebhookFactory, looked_up: list[str]
) -> None:
    """Its transport opens no socket."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def deliver() -> WebhookResponse:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://evil.test") as client:
            return await webhooks.sign(b"{}").asend(client)

    mock = httpx.MockTransport(lambda _: httpx.Response(204))
    with httpx.Client(transport=mock, base_url="http://evil.test") as client:
        assert webhooks.sign(b"{}").send(client).status_code == 204
    assert webhooks.sign(b"{}").send(TestClient(app, base_url="http://evil.test")).accepted
    assert asyncio.run(deliver()).status_code == 204
    assert looked_up == []


class Timed(httpx.BaseTransport):
    """A test suite's own transport, around that of an application."""

    def __init__(self) -> None:
        self._inner = httpx.MockTransport(lambda _: httpx.Response(204))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """What the application answers."""
        return self._inner.handle_request(request)


@pytest.mark.parametrize("base", ["http://test", "http://testserver", "https://app.example"])
def test_a_transport_of_ones_own_has_a_name_for_tests(webhooks: WebhookFactory, base: str) -> None:
    """No server has such a name."""
    with httpx.Client(base_url=base, transport=Timed()) as client:
        assert webhooks.sign(b"{}").send(client).status_code == 204


def test_a_transport_of_ones_own_is_checked_too(webhooks: WebhookFactory) -> None:
    """Whether it opens a socket is not known."""
    with (
        httpx.Client(base_url="http://169.254.169.254", transport=Timed()) as client,
        pytest.raises(EgressRefused),
    ):
        webhooks.sign(b"{}").send(client)


@pytest.mark.parametrize("base", REFUSED)
def test_a_version_that_does_not_tell_its_transport_is_checked(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    """What is not known counts as a socket."""
    monkeypatch.delattr(httpx.Client, "_transport_for_url")
    with httpx.Client(base_url=base) as client, pytest.raises(EgressRefused):
        webhooks.sign(b"{}").send(client)


def test_a_name_below_localhost_is_looked_up_as_the_client_does(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client may find another address for it than for localhost."""

    def elsewhere(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        kind = socket.AF_INET, socket.SOCK_STREAM, 6
        address = "192.0.2.1" if host == "app.localhost" else "127.0.0.1"
        return [(*kind, "", (address, int(port)))]

    monkeypatch.setattr(socket, "getaddrinfo", elsewhere)
    with (
        httpx.Client(base_url="http://app.localhost:8000") as client,
        pytest.raises(EgressRefused, match=r"192\.0\.2\.1 is not this machine"),
    ):
        webhooks.sign(b"{}").send(client)
