import asyncio
import contextlib
import dataclasses
import http.server
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import anyio
import django.test
import flask
import httpx
import httpx2
import pytest
import starlette.applications
import starlette.background
import starlette.middleware
import starlette.middleware.base
import starlette.requests
import starlette.responses
import starlette.routing
import starlette.testclient
import trustme
from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path as django_path
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI, Request, Response
from freezegun import freeze_time

from pytest_turris.receivers import socket_post as connection
from pytest_turris.receivers.egress import EgressRefused
from pytest_turris.receivers.exchange import WebhookAnswer
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureError

Verify = Callable[[bytes, Any], bool]

PATH = "/web%20hooks?from=turris"


@pytest.fixture
def verify(webhooks: WebhookFactory) -> Verify:
    """A receiver's verification, with the reference verifier inside."""

    def verify(body: bytes, headers: Any) -> bool:  # noqa: ANN401 - each framework's own
        try:
            webhooks.verify(body, headers)
        except SignatureError:
            return False
        return True

    return verify


def fastapi_app(verify: Verify) -> FastAPI:
    """A FastAPI receiver."""
    app = FastAPI()

    @app.post("/web hooks")
    async def receive(request: Request) -> Response:
        assert request.query_params["from"] == "turris"
        genuine = verify(await request.body(), request.headers)
        return Response(status_code=204 if genuine else 401)

    return app


def starlette_app(verify: Verify) -> starlette.applications.Starlette:
    """A Starlette receiver behind a middleware that wraps both channels."""

    async def receive(request: starlette.requests.Request) -> starlette.responses.Response:
        genuine = verify(await request.body(), request.headers)
        return starlette.responses.Response(status_code=204 if genuine else 401)

    async def through(request: starlette.requests.Request, call_next: Any) -> Any:  # noqa: ANN401 - Starlette's
        return await call_next(request)

    return starlette.applications.Starlette(
        routes=[starlette.routing.Route("/web hooks", receive, methods=["POST"])],
        middleware=[
            starlette.middleware.Middleware(
                starlette.middleware.base.BaseHTTPMiddleware, dispatch=through
            )
        ],
    )


def raw_asgi_app(verify: Verify) -> Callable[..., Awaitable[None]]:
    """An ASGI receiver without a framework."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        assert scope["path"] == "/web hooks"
        assert scope["raw_path"] == b"/web%20hooks"
        body = (await receive())["body"]
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        status = 204 if verify(body, headers) else 401
        await send({"type": "http.response.start", "status": status})
        await send({"type": "http.response.body"})

    return app


def flask_app(verify: Verify) -> flask.Flask:
    """A Flask receiver."""
    app = flask.Flask(__name__)

    @app.post("/web hooks")
    def receive() -> flask.Response:
        assert flask.request.args["from"] == "turris"
        genuine = verify(flask.request.get_data(), flask.request.headers)
        return flask.Response(status=204 if genuine else 401)

    return app


def raw_wsgi_app(verify: Verify) -> Callable[..., Iterable[bytes]]:
    """A WSGI receiver without a framework."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's
        assert environ["PATH_INFO"] == "/web hooks"
        assert environ["CONTENT_TYPE"] == "application/json"
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        genuine = verify(body, {"X-Turris-Signature": environ.get("HTTP_X_TURRIS_SIGNATURE", "")})
        start_response("204 No Content" if genuine else "401 Unauthorized", [])
        return []

    return app


@contextlib.contextmanager
def django_urls(verify: Verify) -> Iterator[None]:
    """A Django receiver at the path, in a project that exists for one test."""

    @csrf_exempt  # type: ignore[untyped-decorator]  # Django has no types
    def receive(request: HttpRequest) -> HttpResponse:
        assert request.GET["from"] == "turris"
        return HttpResponse(status=204 if verify(request.body, request.headers) else 401)

    if not django_settings.configured:
        django_settings.configure(SECRET_KEY="x", LOGGING_CONFIG=None)
        django.setup()
    urls = (django_path("web hooks", receive),)
    with django.test.override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"]):
        yield


@contextlib.contextmanager
def listening(verify: Verify, context: Any = None) -> Iterator[str]:  # noqa: ANN401 - ssl's, optional
    """A receiver on a loopback socket, and its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204 if verify(body, self.headers.items()) else 401)
            self.send_header("X-Path", self.path)
            self.send_header("X-Host", self.headers["Host"])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


RECEIVERS: dict[str, Callable[[Verify], contextlib.AbstractContextManager[Any]]] = {
    "fastapi": lambda verify: contextlib.nullcontext(fastapi_app(verify)),
    "starlette": lambda verify: contextlib.nullcontext(starlette_app(verify)),
    "asgi": lambda verify: contextlib.nullcontext(raw_asgi_app(verify)),
    "flask": lambda verify: contextlib.nullcontext(flask_app(verify)),
    "wsgi": lambda verify: contextlib.nullcontext(raw_wsgi_app(verify)),
    "function": contextlib.nullcontext,
    "url": listening,
    "flask client": lambda verify: contextlib.nullcontext(flask_app(verify).test_client()),
    "starlette client": lambda verify: starlette.testclient.TestClient(starlette_app(verify)),
    "httpx client": lambda verify: httpx.Client(
        transport=httpx.WSGITransport(app=flask_app(verify)), base_url="http://testserver"
    ),
    "httpx2 client": lambda verify: httpx2.Client(
        transport=httpx2.WSGITransport(app=flask_app(verify)), base_url="http://testserver"
    ),
}


@contextlib.contextmanager
def receiver(name: str, verify: Verify) -> Iterator[Any]:
    """A receiver by name."""
    if name.startswith("django"):
        kinds = {"wsgi": WSGIHandler, "asgi": ASGIHandler, "client": django.test.Client}
        with django_urls(verify):
            yield kinds[name.split()[1]]()
    else:
        with RECEIVERS[name](verify) as target:
            yield target


NAMES = [*RECEIVERS, "django wsgi", "django asgi", "django client"]


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_receiver(webhooks: WebhookFactory, verify: Verify, name: str) -> None:
    """Each kind of receiver accepts what is genuine and refuses what is not."""
    webhook = webhooks.producer_agreement_executed(branchName="Wést")
    with receiver(name, verify) as target:
        assert webhook.send(target, PATH).status_code == 204
        assert webhook.send(target, PATH).accepted
        for hostile in (webhook.tampered(), webhook.unsigned(), webhook.signed_with("other key")):
            answer = hostile.send(target, PATH)
            assert (answer.status_code, answer.error) == (401, None)
            assert not answer.accepted


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_receiver_from_a_coroutine(
    webhooks: WebhookFactory, verify: Verify, name: str
) -> None:
    """Each kind of receiver is reached from a running loop, by either method."""
    webhook = webhooks.producer_agreement_executed()

    async def deliver(target: object) -> list[int]:
        answers = [await webhook.asend(target, PATH), await webhook.tampered().asend(target, PATH)]
        if name != "url":
            answers.append(webhook.send(target, PATH))
        return [answer.status_code for answer in answers]

    with receiver(name, verify) as target:
        assert asyncio.run(deliver(target))[:2] == [204, 401]


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_receiver_under_frozen_time(
    webhooks: WebhookFactory, verify: Verify, name: str
) -> None:
    """A frozen clock does not hold a delivery up."""
    with receiver(name, verify) as target, freeze_time("2025-03-17"):
        assert webhooks.sign(b"{}").send(target, PATH).status_code == 204


@pytest.mark.parametrize("name", ["fastapi", "flask", "wsgi", "asgi", "flask client"])
def test_bodies_arrive_byte_for_byte(webhooks: WebhookFactory, name: str) -> None:
    """A receiver gets the bytes that were signed, JSON or not."""
    seen: list[bytes] = []

    def keep(body: bytes, headers: object) -> bool:
        seen.append(body)
        return True

    bodies = [b"", b'{ "a" : 1.0,\r\n"b": "\\u00e9\xc3\xa9" }\n', b"\xff\x00"]
    with receiver(name, keep) as target:
        for body in bodies:
            assert webhooks.sign(body).send(target, PATH).accepted
    assert seen == bodies


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

    async def deliver() -> WebhookAnswer:
        transport = httpx.ASGITransport(app=raw_asgi_app(broken))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await webhooks.sign(b"{}").asend(client, PATH)

    answer = asyncio.run(deliver())
    assert answer.status_code == 500
    assert isinstance(answer.error, BrokenError)


def test_trio(webhooks: WebhookFactory, verify: Verify) -> None:
    """An ASGI application and a URL are reached from trio too."""
    pytest.importorskip("trio")

    async def deliver(target: object) -> int:
        return (await webhooks.sign(b"{}").asend(target, PATH)).status_code

    assert anyio.run(deliver, raw_asgi_app(verify), backend="trio") == 204
    with listening(verify) as url:
        assert anyio.run(deliver, url, backend="trio") == 204


def test_default_path(webhooks: WebhookFactory) -> None:
    """Without a path an application is called at its root, and a URL as it is written."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    webhook = webhooks.sign(b"{}")
    assert webhook.send(app).text == "/"
    assert webhook.send(app, "a/b").text == "/a/b"
    with listening(lambda _body, _headers: True) as url:
        assert webhook.send(url).headers["x-path"] == "/"
        assert webhook.send(f"{url}/a?b=c").headers["x-path"] == "/a?b=c"
        assert webhook.send(f"{url}/a/", "/b").headers["x-path"] == "/a/b"
        assert webhook.send(url, "b").headers["x-path"] == "/b"
        assert url.endswith(webhook.send(url).headers["x-host"])


def test_streams_and_background_tasks(webhooks: WebhookFactory) -> None:
    """A streamed answer arrives whole, and background tasks have run when it is returned."""
    ran: list[str] = []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0.001)
            yield b"%d" % number

    def receive(request: object) -> starlette.responses.Response:
        task = starlette.background.BackgroundTask(ran.append, "task")
        return starlette.responses.StreamingResponse(chunks(), background=task)

    app = starlette.applications.Starlette(
        routes=[starlette.routing.Route("/", receive, methods=["POST"])]
    )
    with freeze_time("2025-03-17"):
        answer = webhooks.sign(b"{}").send(app)
    assert answer.body == b"012"
    assert ran == ["task"]


def test_a_frozen_clock_does_not_stop_timers(webhooks: WebhookFactory) -> None:
    """An application's timers run while the test's clock stands, in and outside a loop."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await asyncio.sleep(0.001)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def within() -> WebhookAnswer:
        return webhooks.sign(b"{}").send(app)

    with freeze_time("2025-03-17"):
        assert webhooks.sign(b"{}").send(app).accepted
        assert asyncio.run(within()).accepted


def test_asgi_channels(webhooks: WebhookFactory) -> None:
    """After the body, receive() waits for the end of the answer and then says disconnect."""
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        seen.append(await receive())
        listener = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not listener.done()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-A", b"\xe9")]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.debug", "info": {}})
        await send({"type": "http.response.body", "body": b"b"})
        seen.append(await listener)

    answer = webhooks.sign(b"{}").send(app)
    assert (answer.body, answer.headers) == (b"ab", {"x-a": "é"})
    assert [message["type"] for message in seen] == ["http.request", "http.disconnect"]
    assert seen[0] == {"type": "http.request", "body": b"{}", "more_body": False}


def test_current_event_loop_is_left_alone(webhooks: WebhookFactory, verify: Verify) -> None:
    """A synchronous delivery does not take away the loop that a test has set."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        assert webhooks.sign(b"{}").send(raw_asgi_app(verify), PATH).accepted
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class BrokenError(Exception):
    """What broken receivers raise."""


def broken(body: bytes, headers: object) -> bool:
    """A verification that raises."""
    raise BrokenError("no database")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"url", "flask"}])
def test_receivers_that_raise(webhooks: WebhookFactory, name: str) -> None:
    """An application that raises has answered 500, and the answer holds and shows why."""
    with receiver(name, broken) as target:
        if name == "flask client":
            target.application.testing = True
        if name in {"httpx client", "httpx2 client"}:
            target._transport.app.testing = True
        answer = webhooks.sign(b"{}").send(target, PATH)
    assert answer.status_code == 500
    if name in {"django wsgi", "django asgi"}:
        assert answer.error is None  # Django's handlers answer 500 themselves
    else:
        assert isinstance(answer.error, BrokenError)
        assert "BrokenError('no database')" in repr(answer)


def test_flask_answers_for_itself(webhooks: WebhookFactory) -> None:
    """An application that turns its error into an answer has answered, as in production."""
    answer = webhooks.sign(b"{}").send(flask_app(broken), PATH)
    assert (answer.status_code, answer.error) == (500, None)
    assert "Internal Server Error" in answer.text


def test_failing_background_tasks(webhooks: WebhookFactory) -> None:
    """What happens after the answer does not change its status, but is in the error."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b"queued"})
        raise BrokenError

    answer = webhooks.sign(b"{}").send(app)
    assert (answer.status_code, answer.text) == (202, "queued")
    assert isinstance(answer.error, BrokenError)


def test_applications_without_an_answer(webhooks: WebhookFactory) -> None:
    """An application that ends without an answer, or within it, has answered 500."""

    async def silent(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        pass

    async def halfway(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def never(environ: object, start_response: object) -> Iterable[bytes]:
        return []

    for app in (silent, halfway, never):
        answer = webhooks.sign(b"{}").send(app)
        assert answer.status_code == 500
        assert isinstance(answer.error, RuntimeError)


def test_wsgi_answers_are_closed(webhooks: WebhookFactory) -> None:
    """A WSGI answer may be written, iterated and replaced, and is closed."""

    class Chunks(list[bytes]):
        closed: ClassVar[list[bool]] = []

        def close(self) -> None:
            self.closed.append(True)

    def app(environ: object, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's
        start_response("200 OK", [])
        write = start_response("201 Created", [("Set-Cookie", "a"), ("Set-Cookie", "b")], None)
        write(b"x")
        return Chunks([b"y"])

    answer = webhooks.sign(b"{}").send(app)
    assert (answer.status_code, answer.body) == (201, b"xy")
    assert answer.headers == {"set-cookie": "a, b"}
    assert Chunks.closed == [True]


def test_repeated_header_lines_reach_the_receiver(webhooks: WebhookFactory) -> None:
    """A header sent twice is two lines in ASGI and one joined value in WSGI, as servers do."""
    webhook = webhooks.sign(b"{}")

    lines = (("X-Turris-Signature", "a"), ("X-Turris-Signature", "b"))
    webhook = dataclasses.replace(webhook, header_lines=lines)
    seen: list[Any] = []

    def keep(body: bytes, headers: Any) -> bool:  # noqa: ANN401 - each framework's own
        seen.append(headers.getlist("X-Turris-Signature"))
        return True

    assert webhook.send(fastapi_app(keep), PATH).accepted
    assert webhook.send(flask_app(lambda _, headers: keep(b"", headers)), PATH).accepted
    assert seen == [["a", "b"], ["a, b"]]


@pytest.mark.parametrize(
    "target",
    [
        None,
        5,
        b"http://127.0.0.1/",
        object(),
        lambda body: True,
        lambda a, b, c: True,
        FastAPI,
        flask.Flask,
        int,
        print,
        getattr,
    ],
    ids=range(11),
)
def test_unknown_targets(webhooks: WebhookFactory, target: object) -> None:
    """What is no receiver is a TypeError that lists what is."""
    with pytest.raises(TypeError, match=r"cannot send to .*a receiver is one of"):
        webhooks.sign(b"{}").send(target)


def test_asynchronous_verifiers_are_refused(webhooks: WebhookFactory) -> None:
    """A coroutine function is no verifier: its coroutine is never False."""

    async def verify(body: bytes, headers: object) -> bool:
        return False

    with pytest.raises(TypeError, match="cannot send"):
        webhooks.sign(b"{}").send(verify)


def test_verifiers_return_booleans(webhooks: WebhookFactory) -> None:
    """A function that returns neither True nor False is a mistake, not an acceptance."""
    with pytest.raises(TypeError, match="returned NoneType, not a bool"):
        webhooks.sign(b"{}").send(webhooks.verify)


def test_verifiers_find_headers_in_any_case(webhooks: WebhookFactory) -> None:
    """A verifying function may ask for a header in the case that it likes."""
    names = ["X-Turris-Signature", "x-turris-signature", "X-TURRIS-SIGNATURE"]
    webhook = webhooks.sign(b"{}")
    assert webhook.send(lambda _body, headers: all(name in headers for name in names)).accepted


def test_answers() -> None:
    """An answer reads as text and JSON, and prints its size and not its contents."""
    answer = WebhookAnswer(status_code=200, headers={}, body=b'{"key":"secret"}')
    assert answer.json() == {"key": "secret"}
    assert repr(answer) == "WebhookAnswer(200, 16 bytes)"
    assert WebhookAnswer(status_code=200, headers={}, body=b"\xff").text == "\ufffd"
    statuses = [
        (status, WebhookAnswer(status_code=status, headers={}).accepted)
        for status in (199, 200, 299, 300)
    ]
    assert statuses == [(199, False), (200, True), (299, True), (300, False)]


def test_urls_elsewhere_are_refused(webhooks: WebhookFactory) -> None:
    """A URL goes through the egress check, in either method, and allow= reaches it."""
    webhook = webhooks.sign(b"{}")
    with pytest.raises(EgressRefused, match="allow="):
        webhook.send("http://192.0.2.1/")
    with pytest.raises(EgressRefused, match="allow="):
        asyncio.run(webhook.asend("http://192.0.2.1/"))
    with pytest.raises(EgressRefused, match="never allowed"):
        webhook.send("http://169.254.169.254/", allow=["169.254.169.254:80"])


def test_the_checked_address_is_connected_to(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once, and sent in the Host header to the address that was checked."""
    resolved: list[str] = []

    def getaddrinfo(host: str, *_args: object, **_options: object) -> list[Any]:
        resolved.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", _args[0]))]

    with listening(lambda _body, _headers: True) as url:
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        port = url.rpartition(":")[2]
        answer = webhooks.sign(b"{}").send(f"http://receiver.example:{port}")
    assert answer.headers["x-host"] == f"receiver.example:{port}"
    assert resolved == ["receiver.example", "127.0.0.1"]  # the latter is a literal, not a name


def test_tls_is_verified(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Over https a receiver must be trusted, for its own name."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with listening(lambda _body, _headers: True, context) as url:
        with pytest.raises(ssl.SSLCertVerificationError):
            webhooks.sign(b"{}").send(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        assert webhooks.sign(b"{}").send(url).accepted
        with pytest.raises(ssl.SSLCertVerificationError):
            webhooks.sign(b"{}").send(url.replace("127.0.0.1", "localhost"))


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A socket that reads a request with the body ``{}``, sends fixed bytes and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connected, _ = server.accept()
            with connected, contextlib.suppress(OSError):
                request = b""
                while not request.endswith(b"{}"):
                    request += connected.recv(65536)
                connected.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_redirects_and_proxies_are_not_followed(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect is an answer like any other, and proxies in the environment are ignored."""
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:1")
    with answering(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n") as url:
        answer = webhooks.sign(b"{}").send(url)
    assert (answer.status_code, answer.accepted) == (302, False)


def test_clients_do_not_follow_redirects(webhooks: WebhookFactory) -> None:
    """A client that follows redirects otherwise does not follow a receiver's."""
    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=lambda: flask.redirect("/other"), methods=["POST"])
    transport = httpx.WSGITransport(app=app)
    with httpx.Client(
        transport=transport, base_url="http://testserver", follow_redirects=True
    ) as client:
        assert webhooks.sign(b"{}").send(client).status_code == 302


def test_answers_are_capped(webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of an answer is read than the limit."""
    monkeypatch.setattr("pytest_turris.receivers.response_reader.ANSWER_LIMIT", 10)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100) as url:
        assert webhooks.sign(b"{}").send(url).body == b"x" * 10


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_no_answer_over_http(webhooks: WebhookFactory, answer: bytes) -> None:
    """A receiver that hangs up or speaks no HTTP is a ConnectionError."""
    with answering(answer) as url, pytest.raises(ConnectionError):
        webhooks.sign(b"{}").send(url)


def test_nobody_listens(webhooks: WebhookFactory) -> None:
    """A refused connection is raised as it is, by a URL and by a client."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(ConnectionRefusedError):
        webhooks.sign(b"{}").send(url)
    for library in (httpx, httpx2):
        with library.Client(base_url=url) as client, pytest.raises(library.ConnectError):
            webhooks.sign(b"{}").send(client)


def test_slow_receivers(webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that does not answer in time is a TimeoutError; Turris waits 30 seconds."""
    assert connection.TIMEOUT == 30
    monkeypatch.setattr(connection, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TimeoutError):
        webhooks.sign(b"{}").send(f"http://127.0.0.1:{server.getsockname()[1]}")
