"""A receiver of each kind that a webhook can be sent to, all with the same verification."""

import contextlib
import http.server
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import django.test
import flask
import httpx
import httpx2
import starlette.applications
import starlette.middleware
import starlette.middleware.base
import starlette.requests
import starlette.responses
import starlette.routing
import starlette.testclient
from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path as django_path
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI, Request, Response

Verify = Callable[[bytes, Any], bool]

PATH = "/web%20hooks?from=turris"


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

    async def through(request: starlette.requests.Request, call_next: Any) -> Any:
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

    async def app(scope: Any, receive: Any, send: Any) -> None:
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

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
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
def listening(verify: Verify, context: Any = None) -> Iterator[str]:
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


class BrokenError(Exception):
    """What broken receivers raise."""


def broken(body: bytes, headers: object) -> bool:
    """A verification that raises."""
    raise BrokenError("no database")
