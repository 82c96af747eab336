"""The control API: how a test process lets its sandboxes answer through this server.

Paths begin with ``/__sandbox__/control``; each request carries the control token as its bearer.
"""

import asyncio
import hmac
import re
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json

from mock_server.relay_hub import Relay, Relays, Tenant
from pytest_turris.core.wire.messages import JSON_HEADERS, Request, Response, encode
from pytest_turris.doors.sockets.asgi import App, Receive, Scope, Send, asgi_app
from pytest_turris.relay.protocol import PROTOCOL, RELAYS

_PREFIX = "/__sandbox__/control"
_LINES = re.compile(rf"{RELAYS}/(?P<relay>\w+)/lines")
_TENANT = re.compile(rf"{RELAYS}/(?P<relay>\w+)/tenants/(?P<tenant>\w+)")
_EXCHANGE = re.compile(rf"{RELAYS}/(?P<relay>\w+)/exchanges/(?P<number>\d{{1,18}})")
# An answer is up to six times as long as JSON, and the longest hostile ones are long.
_MOST_READ = 256 * 1024 * 1024


class ControlError(Exception):
    """A refusal of the control API."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def control_app(relays: Relays, token: str, app: App, log: Callable[[str], None]) -> App:
    """The application, with the control API beside it for whoever knows the token."""
    api = _Api(relays, token, log)
    at_once, refusing = asgi_app(api.handle, max_body=_MOST_READ), asgi_app(api.handle)

    async def controlled(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await app(scope, receive, send)
        elif not api.knows(scope):
            await refusing(scope, receive, send)
        elif relay := api.relay_told_at(scope["path"]):
            await _tell(relay, relays, receive, send)
        else:
            await at_once(scope, receive, send)

    return controlled


class _Api:
    """What a test process may ask for."""

    def __init__(self, relays: Relays, token: str, log: Callable[[str], None]) -> None:
        self._relays = relays
        self._bearer = f"Bearer {token}"
        self._log = log

    def knows(self, scope: Scope) -> bool:
        """Whether the caller has the token; from others no more is read than from anybody."""
        return self._may(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))

    def relay_told_at(self, path: str) -> Relay | None:
        """The test process that is told there what it is asked."""
        found = _LINES.fullmatch(path)
        return self._relays.get(found["relay"]) if found else None

    def handle(self, request: Request) -> Response:
        """Answer everything else."""
        try:
            return self._answer(request)
        except ControlError as error:
            kind = "unauthorized" if error.status == 401 else "invalid_input"  # noqa: PLR2004 - RFC 9110
            words = {"errorType": kind, "errorMessage": [str(error)]}
            return _json(error.status, {"statusCode": error.status} | words)

    def _answer(self, request: Request) -> Response:
        method, path = request.method, request.path
        if not self._may(request.header("authorization")):
            raise ControlError(401, "the control token is missing or wrong")
        if (method, path) == ("POST", RELAYS):
            return self._open(_document(request))
        if (method, path) == ("GET", f"{_PREFIX}/tenants"):
            return _json(200, {"tenants": [tenant.name for tenant in self._relays.tenants]})
        if method == "POST" and (found := _EXCHANGE.fullmatch(path)):
            self._relay(found).hear(int(found["number"]), _document(request))
            return Response(status=204)
        if method == "PUT" and (found := _TENANT.fullmatch(path)):
            self._put(self._relay(found), found["tenant"], _document(request))
            return Response(status=204)
        if method == "DELETE" and (found := _TENANT.fullmatch(path)):
            self._relay(found).tenants.pop(found["tenant"], None)
            return Response(status=204)
        raise ControlError(404, f"the control API has no {method} {path}")

    def _open(self, document: dict[str, Any]) -> Response:
        if document.get("protocol") != PROTOCOL:
            raise ControlError(
                400,
                f"the server speaks version {PROTOCOL} of the control API, not "
                f"{document.get('protocol')!r}; install the same pytest-turris on both sides",
            )
        relay = self._relays.open(is_alone=document.get("workers") == 1)
        return _json(201, {"relay": relay.id})

    def _put(self, relay: Relay, key: str, document: dict[str, Any]) -> None:
        """A tenant, or further credentials of one."""
        tenant = relay.tenants.setdefault(key, Tenant(relay, str(document.get("name"))))
        if not tenant.fingerprints:
            self._log(f"tenant {tenant.name}")
        tenant.fingerprints.update(map(str, document.get("fingerprints", ())))

    def _relay(self, found: re.Match[str]) -> Relay:
        relay = self._relays.get(found["relay"])
        if relay is None:
            raise ControlError(404, "no such relay; was the server started anew?")
        return relay

    def _may(self, header: str) -> bool:
        return hmac.compare_digest(header.encode(), self._bearer.encode())


async def _tell(relay: Relay, relays: Relays, receive: Receive, send: Send) -> None:
    """Tell a test process what to answer, line by line, until it hangs up."""
    watch = asyncio.create_task(_until_gone(receive, relay))
    headers = [(b"content-type", b"application/x-ndjson")]
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for line in relay.lines():
            await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        watch.cancel()
        relays.close(relay)


async def _until_gone(receive: Receive, relay: Relay) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    relay.close()


def _document(request: Request) -> dict[str, Any]:
    try:
        document = from_json(request.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ControlError(400, "the body is no JSON object")
    return document


def _json(status: int, document: object) -> Response:
    return Response(status=status, headers=JSON_HEADERS, body=encode(document))
