"""The host and the scheme of a request, as applications, clients and servers see them."""

import asyncio
from collections.abc import Callable
from typing import Any

import flask
import httpx
import pytest
import starlette.testclient
from doubles.receivers.kinds import listening
from fastapi import FastAPI, Request, Response
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.receivers.address import TargetError
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.factory import WebhookFactory

HOST = "api.example.com"


def asgi_app() -> FastAPI:
    """An application that answers with the URL that it sees."""
    app = FastAPI()

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        return Response(str(request.url))

    return app


def wsgi_app() -> flask.Flask:
    """The same in Flask."""
    app = flask.Flask(__name__)
    app.add_url_rule("/hook", "hook", lambda: flask.request.url, methods=["POST"])
    return app


RECEIVERS: dict[str, Callable[[], Any]] = {
    "ASGI": asgi_app,
    "WSGI": wsgi_app,
    "Starlette's client": lambda: starlette.testclient.TestClient(asgi_app()),
    "Flask's client": lambda: wsgi_app().test_client(),
    "httpx": lambda: httpx.Client(
        transport=httpx.WSGITransport(app=wsgi_app()), base_url="http://testserver"
    ),
}


@pytest.mark.parametrize("name", RECEIVERS)
@pytest.mark.parametrize(
    ("host", "scheme", "seen"),
    [
        (HOST, "https", f"https://{HOST}/hook?a=1"),
        (f"{HOST}:8443", "https", f"https://{HOST}:8443/hook?a=1"),
        (HOST, "", f"http://{HOST}/hook?a=1"),
    ],
)
def test_application_sees_the_address(
    webhooks: WebhookFactory, name: str, host: str, scheme: str, seen: str
) -> None:
    """An application gets the host and scheme, directly or through a test client."""
    answer = webhooks.sign(b"{}").send(RECEIVERS[name](), "/hook?a=1", host=host, scheme=scheme)
    assert answer.text == seen


@pytest.mark.parametrize("name", RECEIVERS)
def test_scheme_alone(webhooks: WebhookFactory, name: str) -> None:
    """The host stays what it is without one."""
    answer = webhooks.sign(b"{}").send(RECEIVERS[name](), "/hook", scheme="https")
    assert answer.text.startswith("https://")
    plain = webhooks.sign(b"{}").send(RECEIVERS[name](), "/hook")
    assert plain.text == answer.text.replace("https://", "http://")


def test_django_client(webhooks: WebhookFactory) -> None:
    """Django's client passes them on as its own requests do."""
    sent: dict[str, Any] = {}

    class Client:
        def generic(self, *args: object, **given: object) -> httpx.Response:
            sent.update(given)
            raise OSError

    Client.__module__ = "django.test"
    webhooks.sign(b"{}").send(Client(), "/hook", host=HOST, scheme="https")
    assert (sent["HTTP_HOST"], sent["secure"]) == (HOST, True)
    webhooks.sign(b"{}").send(Client(), "/hook")
    assert sent["secure"] is False


def test_receivers_that_check_their_host(webhooks: WebhookFactory) -> None:
    """A receiver behind such checks is reached with its host and with HTTPS, and not without."""
    app = HTTPSRedirectMiddleware(TrustedHostMiddleware(asgi_app(), [HOST]))
    webhook = webhooks.sign(b"{}")
    assert webhook.send(app, "/hook", host=HOST, scheme="https").status_code == 200
    assert webhook.send(app, "/hook", host=HOST).status_code == 307
    assert webhook.send(app, "/hook", scheme="https").status_code == 400


def test_url_gets_the_host_alone(webhooks: WebhookFactory) -> None:
    """Over a socket the name goes into the Host line, and the URL says where to connect to."""
    with listening(lambda _body, _headers: True) as url:
        answer = webhooks.sign(b"{}").send(url, host=HOST)
        assert answer.headers["x-host"] == HOST
        assert url.endswith(webhooks.sign(b"{}").send(url).headers["x-host"])
    with pytest.raises(TargetError, match="a URL begins with its own"):
        Target.of(url, scheme="https")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "a b"}, "'a b' is not a host"),
        ({"host": "a\r\nX: y"}, "is not a host"),
        ({"host": "https://api.example.com"}, "is not a host"),
        ({"scheme": "ftp"}, "scheme='ftp' is not"),
    ],
)
def test_mistaken_addresses(given: dict[str, str], words: str) -> None:
    """A host is a name with a port at most."""
    with pytest.raises(TargetError, match=words):
        Target.of(asgi_app(), **given)  # type: ignore[arg-type]  # keywords that are given apart


def test_from_a_coroutine(webhooks: WebhookFactory) -> None:
    """``asend`` takes them too, for an application and for an async client."""
    webhook, app = webhooks.sign(b"{}"), asgi_app()

    async def deliver() -> list[str]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return [
                (await webhook.asend(target, "/hook", host=HOST, scheme="https")).text
                for target in (app, client)
            ]

    assert asyncio.run(deliver()) == [f"https://{HOST}/hook"] * 2


def test_registered_receiver(turris_webhooks: TurrisWebhooks) -> None:
    """Deliveries of the sandbox go to the host and scheme of the registration."""
    app = TrustedHostMiddleware(asgi_app(), [HOST])
    endpoint = turris_webhooks.register(
        app, "/hook", event="PRODUCER_AGREEMENT_EXECUTED", host=HOST, scheme="https"
    )
    assert turris_webhooks.test(endpoint).status == 200
