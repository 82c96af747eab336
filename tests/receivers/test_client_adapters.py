"""Clients: those that must be awaited, errors of applications, redirects and silence."""

import asyncio
from typing import Any

import flask
import httpx
import httpx2
import pytest
from doubles.receivers.kinds import PATH, BrokenError, Verify, broken, fastapi_app, raw_asgi_app

from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.factory import WebhookFactory


def test_httpx_async_clients(webhooks: WebhookFactory, verify: Verify) -> None:
    """An asynchronous client is awaited, and a synchronous send names the way."""

    async def deliver(library: Any) -> tuple[int, int]:  # noqa: ANN401 - two modules
        transport = library.ASGITransport(app=fastapi_app(verify))
        async with library.AsyncClient(transport=transport, base_url="http://x") as client:
            with pytest.raises(TypeError, match="asend"):
                webhooks.sign(b"{}").send(client, PATH)
            good = await webhooks.sign(b"{}").asend(client, PATH)
            bad = await webhooks.sign(b"{}").unsigned().asend(client, PATH)
            return good.status_code, bad.status_code

    for library in (httpx, httpx2):
        assert asyncio.run(deliver(library)) == (204, 401)


def test_async_clients_of_applications_that_raise(webhooks: WebhookFactory) -> None:
    """What an application raises through an asynchronous client is its error too."""

    async def deliver() -> WebhookResponse:
        transport = httpx.ASGITransport(app=raw_asgi_app(broken))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await webhooks.sign(b"{}").asend(client, PATH)

    answer = asyncio.run(deliver())
    assert answer.status_code == 500
    assert isinstance(answer.error, BrokenError)


def test_clients_do_not_follow_redirects(webhooks: WebhookFactory) -> None:
    """A client that follows redirects otherwise does not follow a receiver's."""
    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=lambda: flask.redirect("/other"), methods=["POST"])
    transport = httpx.WSGITransport(app=app)
    with httpx.Client(
        transport=transport, base_url="http://testserver", follow_redirects=True
    ) as client:
        assert webhooks.sign(b"{}").send(client).status_code == 302


def test_async_clients_raise_what_means_no_response(webhooks: WebhookFactory) -> None:
    """A request error is raised, and the target names it."""

    def hang_up(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    async def deliver() -> None:
        transport = httpx.MockTransport(hang_up)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            target = Target.of(client)
            with pytest.raises(target.no_response_errors, match="gone"):
                await webhooks.sign(b"{}").asend(target)

    asyncio.run(deliver())
