"""The control API: a test process connects here, so that its sandboxes answer at this server.

Paths begin with ``/__sandbox__/control``. Each request has the control token as its bearer token.
"""

import asyncio
import hmac
import re
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json

from mock_server.relay_hub import RelayHub, Tenant, TestProcess
from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.messages import JSON_HEADERS, Request, Response, encode
from pytest_turris.doors.sockets.asgi import App, Receive, Scope, Send, asgi_app
from pytest_turris.relay.protocol import PROTOCOL, RELAYS

_PREFIX = "/__sandbox__/control"
_LINES = re.compile(rf"{RELAYS}/(?P<relay>\w+)/lines")
_TENANT = re.compile(rf"{RELAYS}/(?P<relay>\w+)/tenants/(?P<tenant>\w+)")
_EXCHANGE = re.compile(rf"{RELAYS}/(?P<relay>\w+)/exchanges/(?P<number>\d{{1,18}})")
_WRITES = frozenset({"POST", "PUT"})
_BROWSER = "Mozilla/"
# A forwarded answer is up to six times as long in JSON, and some hostile answers are long.
_MOST_READ = 256 * 1024 * 1024


class ControlError(Exception):
    """A refusal of the control API."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def control_app(hub: RelayHub, token: str, app: App, log: Callable[[str], None]) -> App:
    """Add the control API to an application, for callers that have the token."""
    api = _Api(hub, token, log)
    at_once, refusing = asgi_app(api.handle, max_body=_MOST_READ), asgi_app(api.handle)

    async def controlled(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await app(scope, receive, send)
        elif not api.allows(scope):
            await refusing(scope, receive, send)
        elif process := api.process_at(scope["path"]):
            await _stream_lines(process, hub, receive, send)
        else:
            await at_once(scope, receive, send)

    return controlled


class _Api:
    """Answers the requests of test processes, except the stream of lines."""

    def __init__(self, hub: RelayHub, token: str, log: Callable[[str], None]) -> None:
        self._hub = hub
        self._bearer = f"Bearer {token}"
        self._log = log

    def allows(self, scope: Scope) -> bool:
        """Return whether the caller has the token. From others, no large body is read."""
        return self._is_authorized(
            dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        )

    def process_at(self, path: str) -> TestProcess | None:
        """Return the test process that streams its requests from this path."""
        found = _LINES.fullmatch(path)
        return self._hub.get(found["relay"]) if found else None

    def handle(self, request: Request) -> Response:
        """Answer any other request."""
        try:
            return self._answer(request)
        except ControlError as error:
            kind = "unauthorized" if error.status == 401 else "invalid_input"  # noqa: PLR2004 - RFC 9110
            return _json(error.status, error_document(error.status, kind, [str(error)]))

    def _answer(self, request: Request) -> Response:
        method, path = request.method, request.path
        if not self._is_authorized(request.header("authorization")):
            raise ControlError(401, "the control token is missing or wrong")
        if request.header("user-agent").startswith(_BROWSER):
            raise ControlError(403, "the control API does not answer browsers")
        if method in _WRITES and not _is_json(request):
            raise ControlError(415, "the Content-Type is not application/json")
        if (method, path) == ("POST", RELAYS):
            return self._open(_document(request))
        if (method, path) == ("GET", f"{_PREFIX}/tenants"):
            return _json(200, {"tenants": [tenant.name for tenant in self._hub.tenants]})
        if method == "POST" and (found := _EXCHANGE.fullmatch(path)):
            self._process(found).receive(int(found["number"]), _document(request))
            return Response(status=204)
        if method == "PUT" and (found := _TENANT.fullmatch(path)):
            self._put(self._process(found), found["tenant"], _document(request))
            return Response(status=204)
        if method == "DELETE" and (found := _TENANT.fullmatch(path)):
            self._process(found).tenants.pop(found["tenant"], None)
            return Response(status=204)
        raise ControlError(404, "the control API has no such operation")

    def _open(self, document: dict[str, Any]) -> Response:
        if document.get("protocol") != PROTOCOL:
            raise ControlError(
                400,
                f"the server speaks another version of the control API, {PROTOCOL}; "
                "install the same pytest-turris on both sides",
            )
        process = self._hub.open(is_alone=document.get("workers") == 1)
        return _json(201, {"relay": process.id})

    def _put(self, process: TestProcess, key: str, document: dict[str, Any]) -> None:
        """Add a tenant, or further credentials of one."""
        tenant = process.tenants.setdefault(key, Tenant(process, str(document.get("name"))))
        if not tenant.fingerprints:
            self._log(f"tenant {tenant.name}")
        tenant.fingerprints.update(map(str, document.get("fingerprints", ())))

    def _process(self, found: re.Match[str]) -> TestProcess:
        process = self._hub.get(found["relay"])
        if process is None:
            raise ControlError(404, "unknown test process; was the server restarted?")
        return process

    def _is_authorized(self, header: str) -> bool:
        return hmac.compare_digest(header.encode(), self._bearer.encode())


async def _stream_lines(process: TestProcess, hub: RelayHub, receive: Receive, send: Send) -> None:
    """Stream to a test process what it is to answer, line by line, until it disconnects."""
    watch = asyncio.create_task(_close_on_disconnect(receive, process))
    headers = [(b"content-type", b"application/x-ndjson")]
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for line in process.lines():
            await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        watch.cancel()
        hub.close(process)


async def _close_on_disconnect(receive: Receive, process: TestProcess) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    process.close()


def _document(request: Request) -> dict[str, Any]:
    try:
        document = from_json(request.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ControlError(400, "the body is not a JSON object")
    return document


def _json(status: int, document: object) -> Response:
    return Response(status=status, headers=JSON_HEADERS, body=encode(document))


def _is_json(request: Request) -> bool:
    media_type = request.header("content-type").partition(";")[0]
    return media_type.strip().lower() == "application/json"
