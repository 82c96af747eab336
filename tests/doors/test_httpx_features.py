"""Features of httpx and httpx2 clients besides sending work in process."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import httpcore
import httpx
import httpx2
import pytest
from doubles.doors.clients import NO_VERIFY
from fastapi import FastAPI
from flask import Flask
from h11 import LocalProtocolError

from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.in_process.opening import open_doors

PATH = "/.well-known/jwks.json"
ELSEWHERE = "https://api.partner.example/"

Get = Callable[..., Any]
Moved = Callable[..., list[str]]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with all doors open."""
    sandbox = Sandbox()
    with open_doors(sandbox):
        yield sandbox


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    """One of the two libraries."""
    found: ModuleType = request.param
    return found


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of a library's clients."""
    return str(request.param)


@pytest.fixture
def get(kind: str, library: ModuleType, sandbox: Sandbox) -> Get:
    """Sends one GET request with a client that was made with these options."""
    common = {"base_url": sandbox.base_url, "verify": NO_VERIFY}

    def at_once(path: str, **options: Any) -> Any:  # noqa: ANN401 - an answer of either library
        with library.Client(**common | options) as client:
            return client.get(path)

    async def later(path: str, **options: Any) -> Any:  # noqa: ANN401 - the same
        async with library.AsyncClient(**common | options) as client:
            return await client.get(path)

    if kind == "sync":
        return at_once
    return lambda path, **options: asyncio.run(later(path, **options))


def hooks(kind: str, note: Callable[[str], object], failing: bool = False) -> dict[str, list[Any]]:
    """One hook for each event, of the client's kind, that notes what it was given."""

    def on_request(request: Any) -> None:  # noqa: ANN401 - a request of either library
        request.headers["X-Hooked"] = "yes"
        note(f"{request.method} {request.url.path}")

    def on_response(response: Any) -> None:  # noqa: ANN401 - an answer of either library
        note(str(response.status_code))
        if failing:
            response.raise_for_status()

    async def on_request_async(request: Any) -> None:  # noqa: ANN401 - as above
        on_request(request)

    async def on_response_async(response: Any) -> None:  # noqa: ANN401 - as above
        on_response(response)

    if kind == "sync":
        return {"request": [on_request], "response": [on_response]}
    return {"request": [on_request_async], "response": [on_response_async]}


def test_client_may_want_http2(sandbox: Sandbox, get: Get) -> None:
    """A client made for HTTP/2 is answered; nothing is negotiated, so the answer says HTTP/1.1."""
    answer = get(PATH, http2=True)
    assert (answer.status_code, answer.http_version) == (200, "HTTP/1.1")
    assert len(sandbox.journal) == 1


@pytest.mark.parametrize(("status", "reason"), [(503, "Service Unavailable"), (599, "")])
def test_answer_says_what_a_transport_says(
    sandbox: Sandbox, get: Get, status: int, reason: str
) -> None:
    """HTTP version and reason phrase are in ``extensions``, as httpx documents for transports."""
    sandbox.faults.add("jwks", status=status, times=1)
    answer = get(PATH)
    extensions = {"http_version": b"HTTP/1.1", "reason_phrase": reason.encode()}
    assert answer.extensions == extensions
    assert (answer.http_version, answer.reason_phrase) == ("HTTP/1.1", reason)


@pytest.mark.parametrize("base", ["", "/v1", "/v1/"])
def test_base_url_with_a_path_is_joined(sandbox: Sandbox, get: Get, base: str) -> None:
    """The sandbox is asked for the URL that the client builds from its base URL and the path."""
    get("/agents?npn=1", base_url=sandbox.base_url + base)
    joined = base.rstrip("/") + "/agents?npn=1"
    assert sandbox.journal[-1].target == joined


def test_full_url_wins_over_the_base_url(sandbox: Sandbox, get: Get) -> None:
    """A client with another API as its base URL that asks for a full URL of Turris is answered."""
    assert get(sandbox.base_url + PATH, base_url=ELSEWHERE).status_code == 200


def test_event_hooks_see_and_change(sandbox: Sandbox, kind: str, get: Get) -> None:
    """Hooks are called once each; a header that one adds reaches the sandbox."""
    seen: list[str] = []
    get(PATH, event_hooks=hooks(kind, seen.append))
    assert seen == [f"GET {PATH}", "200"]
    assert sandbox.journal[-1].request_headers["x-hooked"] == "yes"


def test_event_hook_may_raise(library: ModuleType, sandbox: Sandbox, kind: str, get: Get) -> None:
    """``raise_for_status`` in a hook is the library's own error, with request and answer."""
    sandbox.faults.add("jwks", status=503)
    with pytest.raises(library.HTTPStatusError) as caught:
        get(PATH, event_hooks=hooks(kind, lambda _: None, failing=True))
    assert caught.value.response.status_code == 503
    assert caught.value.request.url.host == HOSTS["sandbox"]


def test_headers_of_an_answer_are_its_own(sandbox: Sandbox, get: Get) -> None:
    """What a client does to them is not seen in the next answer."""
    first = get(PATH)
    first.headers["content-type"] = "text/plain"
    del first.headers["date"]
    second = get(PATH)
    assert second.headers["content-type"] == "application/json; charset=utf-8"
    assert "date" in second.headers


def test_interceptor_may_give_headers_in_a_list(sandbox: Sandbox, get: Get) -> None:
    """Whatever iterates over pairs of texts will do, as over a socket."""
    listed: Any = [("x-own", "one"), ("x-own", "two")]
    with sandbox.interceptors.use(lambda _request, _handle: Response(status=200, headers=listed)):
        assert get(PATH).headers["x-own"] == "one, two"


def test_elapsed_is_the_clients_own_time(sandbox: Sandbox, get: Get) -> None:
    """``elapsed`` is there, and is not the sandbox's time: a scripted delay is not in it."""
    sandbox.faults.add("jwks", delay=3600)
    assert get(PATH, timeout=None).elapsed.total_seconds() < 3600


@pytest.fixture
def moved(sandbox: Sandbox) -> Iterator[Moved]:
    """Lets the list of agents be somewhere else from now on; gives the paths that were asked."""
    asked: list[str] = []
    with contextlib.ExitStack() as opened:

        def move(location: str, status: int = 302) -> list[str]:
            def intercept(request: Request, handle: Handle) -> Response:
                asked.append(request.path)
                if request.path != "/v1/agents":
                    return handle(request)
                return Response(status=status, headers=(("location", location),))

            opened.enter_context(sandbox.interceptors.use(intercept))
            return asked

        yield move


def test_redirect_is_not_followed_by_default(moved: Moved, get: Get) -> None:
    """A client that does not follow redirects gets the redirect and its next request."""
    asked = moved(PATH)
    answer = get("/v1/agents")
    assert (answer.status_code, answer.is_redirect) == (302, True)
    assert answer.next_request.url.path == PATH
    assert asked == ["/v1/agents"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed(moved: Moved, get: Get, status: int) -> None:
    """A client that follows redirects arrives at the new place, with its history."""
    asked = moved(PATH, status)
    answer = get("/v1/agents", follow_redirects=True)
    assert [past.status_code for past in answer.history] == [status]
    assert "keys" in answer.json()
    assert asked == ["/v1/agents", PATH]


def test_redirect_to_the_other_host_is_answered(sandbox: Sandbox, moved: Moved, get: Get) -> None:
    """Production is answered too, so a redirect to it leads to no network."""
    moved(f"https://{HOSTS['production']}{PATH}")
    assert "keys" in get("/v1/agents", follow_redirects=True).json()
    assert sandbox.journal[-1].environment == "production"


def test_endless_redirect_is_the_clients_own_error(
    library: ModuleType, moved: Moved, get: Get
) -> None:
    """A redirect to itself ends in ``TooManyRedirects``."""
    asked = moved("/v1/agents")
    with pytest.raises(library.TooManyRedirects):
        get("/v1/agents", follow_redirects=True, max_redirects=3)
    assert len(asked) == 4


@pytest.fixture
def transport(kind: str, library: ModuleType) -> type[Any]:
    """The class of transports for the client's kind."""
    found: type[Any] = library.HTTPTransport if kind == "sync" else library.AsyncHTTPTransport
    return found


def test_own_transport_that_calls_the_librarys_is_answered(
    sandbox: Sandbox, get: Get, transport: type[Any]
) -> None:
    """A subclass is asked first, and what it passes on to its base is answered."""
    passed: list[str] = []

    class Noting(transport):  # type: ignore[misc] # a class of either library
        def handle_request(self, request: Any) -> Any:  # noqa: ANN401 - of either library
            passed.append(request.url.path)
            return super().handle_request(request)

        async def handle_async_request(self, request: Any) -> Any:  # noqa: ANN401 - the same
            passed.append(request.url.path)
            return await super().handle_async_request(request)

    assert get(PATH, transport=Noting(verify=NO_VERIFY)).status_code == 200
    assert passed == [PATH]


def test_mounted_transport_is_answered(sandbox: Sandbox, get: Get, transport: type[Any]) -> None:
    """A transport of the library that is mounted for a host is answered too."""
    mounted = transport(verify=NO_VERIFY)
    assert get(PATH, mounts={f"all://{HOSTS['sandbox']}": mounted}).status_code == 200
    assert len(sandbox.journal) == 1


def test_proxy_is_not_asked(sandbox: Sandbox, get: Get) -> None:
    """A client behind a proxy is answered in process; the proxy is never looked up."""
    assert get(PATH, proxy="http://proxy.invalid:3128").status_code == 200
    assert len(sandbox.journal) == 1


def test_mock_transport_answers_by_itself(library: ModuleType, sandbox: Sandbox, get: Get) -> None:
    """A transport that is not the library's connection keeps its requests from the sandbox."""
    mock = library.MockTransport(lambda request: library.Response(418))
    assert get(PATH, transport=mock).status_code == 418
    assert len(sandbox.journal) == 0


def test_app_behind_a_transport_answers_by_itself(
    library: ModuleType, kind: str, sandbox: Sandbox, get: Get
) -> None:
    """So does an app that a client was made for, whatever the host in its URLs."""
    app = Flask(__name__) if kind == "sync" else FastAPI()
    app.get(PATH)(lambda: "mine")
    leading = library.WSGITransport if kind == "sync" else library.ASGITransport
    assert "mine" in get(PATH, transport=leading(app)).text
    assert len(sandbox.journal) == 0


def test_transport_does_not_retry_a_scripted_failure(
    library: ModuleType, sandbox: Sandbox, get: Get, transport: type[Any]
) -> None:
    """``retries=`` is about connections, which are below the door: the failure arrives at once."""
    sandbox.faults.add("jwks", error="connect")
    with pytest.raises(library.ConnectError):
        get(PATH, transport=transport(verify=NO_VERIFY, retries=2))
    assert len(sandbox.journal) == 1


def test_transport_that_connects_by_itself_is_not_answered(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transport on a connection pool of its own gets to the network, where the guard waits."""

    class Connecting(httpx.BaseTransport):
        def __init__(self) -> None:
            self.pool = httpcore.ConnectionPool()

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.pool.request(request.method, str(request.url))
            raise AssertionError("somebody answered")

    looked_up: list[object] = []

    def refuse(host: object, *args: object, **kwargs: object) -> None:
        looked_up.append(host)
        raise OSError("no network here")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    with httpx.Client(transport=Connecting()) as client, pytest.raises(httpcore.ConnectError):
        client.get(sandbox.base_url + PATH)
    assert looked_up == [HOSTS["sandbox"]]
    assert len(sandbox.journal) == 0


@pytest.fixture
def post(library: ModuleType, kind: str) -> Callable[..., list[Any]]:
    """Sends one request several times; returns the statuses."""

    def send(url: str, times: int = 1, **options: Any) -> list[Any]:  # noqa: ANN401 - as httpx
        with library.Client() as client:
            request = client.build_request("POST", url, **options)
            return [client.send(request).status_code for _ in range(times)]

    async def asend(url: str, times: int = 1, **options: Any) -> list[Any]:  # noqa: ANN401 - as httpx
        if not isinstance(options["content"], bytes):
            options["content"] = _later(options["content"])
        async with library.AsyncClient() as client:
            request = client.build_request("POST", url, **options)
            return [(await client.send(request)).status_code for _ in range(times)]

    return send if kind == "sync" else lambda *args, **options: asyncio.run(asend(*args, **options))


async def _later(parts: Any) -> Any:  # noqa: ANN401 - an async generator
    for part in parts:
        yield part


def test_stream_is_sent_once(
    library: ModuleType, sandbox: Sandbox, post: Callable[..., list[Any]]
) -> None:
    """A generator is used up by the first request, as over a socket: a retry cannot send it."""
    url = f"{sandbox.base_url}/v1/auth/jwt"
    assert post(url, 2, content=b"{}") == [400, 400]
    with pytest.raises(library.StreamConsumed):
        post(url, 2, content=(part for part in (b"{", b"}")))


@pytest.mark.parametrize(("length", "much"), [("1", "much"), ("3", "little")])
def test_false_length_is_refused(
    sandbox: Sandbox, post: Callable[..., list[Any]], length: str, much: str
) -> None:
    """A Content-Length that is not true ends in the same exception as over a socket."""
    url = f"{sandbox.base_url}/v1/auth/jwt"
    assert post(url, content=b"{}", headers={"content-length": "2"}) == [400]
    with pytest.raises(LocalProtocolError, match=f"Too {much} data for declared Content-Length"):
        post(url, content=b"{}", headers={"content-length": length})
