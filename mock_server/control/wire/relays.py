"""The relays: a test process connects here, so that its sandboxes answer at this server.

Paths begin with ``/__sandbox__/control``. The protocol is that of ``pytest_turris.relay``; it is
not in the table, because a relay controls nothing.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json

from mock_server.control.wire.errors import ControlError, answer
from mock_server.relay_hub import RelayedTenant, RelayHub, TestProcess
from pytest_turris.core.wire.messages import Request, Response, encode
from pytest_turris.doors.sockets.asgi import Receive, Send
from pytest_turris.relay.protocol import PROTOCOL, RELAYS

PREFIX = "/__sandbox__/control"
_LINES = re.compile(rf"{RELAYS}/(?P<relay>\w+)/lines")
_TENANT = re.compile(rf"{RELAYS}/(?P<relay>\w+)/tenants/(?P<tenant>\w+)")
_EXCHANGE = re.compile(rf"{RELAYS}/(?P<relay>\w+)/exchanges/(?P<number>\d{{1,18}})")
_WRITES = frozenset({"POST", "PUT"})


class Relays:
    """Answers the requests of test processes.

    Args:
        hub: The connected processes.
        log: Gets a line for each sandbox of a test.
    """

    def __init__(self, hub: RelayHub, log: Callable[[str], None]) -> None:
        self._hub = hub
        self._log = log

    def process_at(self, path: str) -> TestProcess | None:
        """Return the test process that streams its requests from this path."""
        found = _LINES.fullmatch(path)
        return self._hub.get(found["relay"]) if found else None

    def answer(self, request: Request) -> Response:
        """Answer any other request.

        Raises:
            ControlError: It is refused.
        """
        method, path = request.method, request.path
        if method in _WRITES and request.media_type != "application/json":
            raise ControlError(415, "the Content-Type is not application/json")
        if (method, path) == ("POST", RELAYS):
            return self._open(_document(request))
        if (method, path) == ("GET", f"{PREFIX}/tenants"):
            return answer(200, encode({"tenants": [tenant.name for tenant in self._hub.tenants]}))
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

    async def stream_lines(self, process: TestProcess, receive: Receive, send: Send) -> None:
        """Stream to a process what it is to answer, line by line, until it disconnects."""
        watch = asyncio.create_task(_close_on_disconnect(receive, process))
        headers = [(b"content-type", b"application/x-ndjson")]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for line in process.lines():
                await send({"type": "http.response.body", "body": line, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            watch.cancel()
            self._hub.close(process)

    def _open(self, document: dict[str, Any]) -> Response:
        if document.get("protocol") != PROTOCOL:
            raise ControlError(
                400,
                f"the server speaks another version of the control API, {PROTOCOL}; "
                "install the same pytest-turris on both sides",
            )
        process = self._hub.open(is_alone=document.get("workers") == 1)
        return answer(201, encode({"relay": process.id}))

    def _put(self, process: TestProcess, key: str, document: dict[str, Any]) -> None:
        """Add a tenant, or further credentials of one."""
        tenant = process.tenants.setdefault(key, RelayedTenant(process, str(document.get("name"))))
        if not tenant.fingerprints:
            self._log(f"tenant {tenant.name}")
        tenant.fingerprints.update(map(str, document.get("fingerprints", ())))

    def _process(self, found: re.Match[str]) -> TestProcess:
        process = self._hub.get(found["relay"])
        if process is None:
            raise ControlError(404, "unknown test process; was the server restarted?")
        return process


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
