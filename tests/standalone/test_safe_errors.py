"""An error is JSON that no browser takes for HTML, and shows nothing of what was sent."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pytest
from doubles.api_recipes import Sent, World
from doubles.hostile_data import CORPUS, HOSTILE
from doubles.served_here import served

from mock_server.control.control import Control
from mock_server.control.table import CONTROLS
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.routes import OPERATIONS

TOKEN = "a control token of this test, which is long enough"
PRINTABLE = HOSTILE.encode("ascii", "ignore").decode()
MARKS = [f"xss-{letter}" for letter in "abcdefg"]
ROWS = [row for row in CONTROLS.values() if not row.sends and not row.streams]


@dataclass(frozen=True)
class Seen:
    """An answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@pytest.fixture(scope="module")
def server() -> Iterator[StandaloneSandbox]:
    """A server on a socket."""
    with served(settings=ServerSettings(control_token=TOKEN)) as server:
        yield server


@pytest.fixture(scope="module")
def connection(server: StandaloneSandbox) -> Iterator[http.client.HTTPConnection]:
    """A connection that stays open."""
    with contextlib.closing(
        http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=60)
    ) as connection:
        yield connection


def send(connection: http.client.HTTPConnection, sent: Sent) -> Seen:
    """The answer."""
    connection.request(sent.method, sent.target, sent.body, sent.headers)
    answer = connection.getresponse()
    return Seen(answer.status, answer.headers, answer.read())


def assert_safe(seen: Seen) -> None:
    """The answer is no error, or one that is safe."""
    if seen.status < 400:
        return
    assert seen.headers.get_all("x-content-type-options") == ["nosniff"]
    assert seen.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(seen.body)["statusCode"] == seen.status
    assert not [mark for mark in MARKS if mark.encode() in seen.body], seen.body


def hostile(good: Sent, texts: tuple[str, ...] = (HOSTILE,)) -> Iterator[Sent]:
    """A good request with hostile text in its path, query, headers, body, and names of members."""
    path, _, query = good.target.partition("?")
    json_type = good.headers | {"content-type": "application/json"}
    for text in texts:
        coded = quote(text, safe="")
        yield Sent(good.method, f"{path.rpartition('/')[0]}/{coded}", good.headers, good.body)
        yield Sent(good.method, f"{path}?{query}&{coded}={coded}", good.headers, good.body)
        named = "&".join(f"{pair.partition('=')[0]}={coded}" for pair in query.split("&"))
        yield Sent(good.method, f"{path}?{named}", good.headers, good.body)
        for document in (text, {text: text}, _filled(good.body, text)):
            body = json.dumps(document).encode()
            yield Sent(good.method, good.target, json_type, body)
        if good.body.startswith(b"--"):
            file = f'filename="{quote(text, safe=" <>/")}'.encode()
            for old, new in ((b'filename="', file), (b"2025", b"<xss-a>")):
                yield Sent(good.method, good.target, good.headers, good.body.replace(old, new))
    for name in ("authorization", "idempotency-key", "content-type", "x-restricted-access-token"):
        yield Sent(good.method, good.target, good.headers | {name: PRINTABLE}, good.body)


def _filled(body: bytes, text: str) -> object:
    try:
        return dict.fromkeys(json.loads(body or b"{}"), text)
    except ValueError:
        return [text]


@pytest.fixture(scope="module")
def world() -> World:
    """A world whose requests succeed at the server."""
    return World()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_errors_of_every_operation(
    server: StandaloneSandbox,
    connection: http.client.HTTPConnection,
    world: World,
    operation: Operation,
) -> None:
    """With the token of a caller, so that each check of the input is reached."""
    good = world.request(operation)
    if "authorization" in good.headers:
        token = server.sandbox.tokens.issue(server.sandbox.client).text
        good.headers["authorization"] = f"Bearer {token}"
    seen = []
    for sent in hostile(good, (CORPUS[0], HOSTILE)):
        server.sandbox.limits.reset()
        seen.append(send(connection, sent))
        assert_safe(seen[-1])
    assert any(one.status >= 400 for one in seen)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_errors_of_every_control(connection: http.client.HTTPConnection, row: Control) -> None:
    """With the control token, and without."""
    path = f"/__sandbox__{row.path}"
    for name in row.in_path:
        path = path.replace(f"{{{name}}}", quote(HOSTILE, safe=""))
    headers = {"authorization": f"Bearer {TOKEN}"}
    for sent in hostile(Sent(row.method, path, headers, b"{}" if row.has_body else b"")):
        assert_safe(send(connection, sent))
    assert_safe(send(connection, Sent(row.method, path)))


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/<xss-a>", {}),
        ("GET", "/", {"Origin": "http://<xss-a>.example"}),
        ("GET", "/", {"Host": "<xss-a>.example"}),
        ("POST", "/__sandbox__/health/<xss-a>", {}),
        ("DELETE", "/__sandbox__/health/", {"authorization": f"Bearer {TOKEN}"}),
        ("GET", "/__sandbox__/<xss-a>", {"authorization": f"Bearer {TOKEN}"}),
        ("TRACE", "/<xss-a>", {}),
    ],
)
def test_other_errors(
    server: StandaloneSandbox, method: str, target: str, headers: dict[str, str]
) -> None:
    """Of the guards, and of paths that there are not."""
    netloc = urlsplit(server.base_url).netloc
    with contextlib.closing(http.client.HTTPConnection(netloc, timeout=60)) as connection:
        seen = send(connection, Sent(method, target, headers))
    assert seen.status >= 400
    assert_safe(seen)


def test_every_status_is_safe() -> None:
    """Those of limits, faults and health checks, too."""
    with served() as server:
        netloc = urlsplit(server.base_url).netloc
        server.sandbox.limits.exhaust("token")
        client = server.sandbox.client
        known = {"clientId": client.client_id, "clientSecret": str(client.client_secret)}
        headers = {"content-type": "application/json"}
        asked = [Sent("POST", "/v1/auth/jwt", headers, json.dumps(known).encode())]
        for status in (400, 404, 409, 418, 429, 500, 502, 503, 504):
            server.sandbox.faults.add("list_agents", status=status)
            asked.append(Sent("GET", "/v1/agents"))
        seen = []
        for sent in asked:
            with contextlib.closing(http.client.HTTPConnection(netloc, timeout=60)) as connection:
                seen.append(send(connection, sent))
            assert_safe(seen[-1])
        assert [one.status for one in seen[:2]] == [429, 400]
        with contextlib.closing(http.client.HTTPConnection(netloc, timeout=60)) as connection:
            refused = send(connection, Sent("POST", "/__sandbox__/health"))
        assert (refused.status, refused.headers["x-content-type-options"]) == (405, "nosniff")


@pytest.mark.parametrize("head", ["<xss-a>", f"GET / HTTP/1.1\r\nx: {'<xss-a>' * 20_000}"])
def test_what_is_no_http(server: StandaloneSandbox, head: str) -> None:
    """It is refused before any application sees it."""
    assert_safe_bytes(_raw(server, f"{head}\r\n\r\n".encode()))


@pytest.mark.parametrize("begins", [False, True])
def test_a_bug_is_json_too(
    server: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch, *, begins: bool
) -> None:
    """What goes wrong in the server itself has the shape of an error, unless it answered before."""

    async def broken(_scope: object, _receive: object, send: object) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator] # a coroutine function
        raise LookupError("canary")

    monkeypatch.setattr(server._server._server.config, "loaded_app", broken)
    answer = _raw(server, b"GET /%2f HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert b"canary" not in answer
    if begins:
        assert b" 500 " not in answer
    else:
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert_safe_bytes(answer)


def test_a_bug_behind_a_plain_request_is_json_too(
    server: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is answered without ASGI has the same answer to a bug."""

    def broken(_request: object) -> object:
        raise LookupError("canary")

    monkeypatch.setattr(server._answers, "_answered_here", broken)
    answer = _raw(server, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"canary" not in answer
    assert_safe_bytes(answer)


def _raw(server: StandaloneSandbox, sent: bytes) -> bytes:
    address = urlsplit(server.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as one:
        with contextlib.suppress(ConnectionError):
            one.sendall(sent)
        parts = []
        with contextlib.suppress(ConnectionError):
            while part := one.recv(65_536):
                parts.append(part)
        return b"".join(parts)


def assert_safe_bytes(answer: bytes) -> None:
    """As ``assert_safe``, for an answer as it was written."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.lower().count(b"\r\nx-content-type-options: nosniff") == 1
    assert b"\r\ncontent-type: application/json; charset=utf-8" in head.lower()
    assert b"xss-a" not in answer
    json.loads(body)
