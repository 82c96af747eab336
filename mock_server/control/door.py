"""The door of the control API: who may come in, before the body of a request is read.

Everything below ``/__sandbox__`` needs the control token as its bearer token, except what
``PUBLIC`` names. What the table needs is imported when the first control call comes.
"""

import asyncio
import hmac
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from mock_server.control.tenants import Tenants
from mock_server.control.wire.errors import ControlError, unknown_outcome
from mock_server.control.wire.relays import PREFIX as RELAY_PREFIX
from mock_server.control.wire.relays import Relays
from mock_server.control.wire.streams import stream
from mock_server.relay_hub import RelayHub
from mock_server.store.errors import StoreError
from pytest_turris.core.api.openapi import DOCUMENT_PATH
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.sockets.asgi import (
    App,
    Receive,
    Scope,
    Send,
    asgi_app,
    send_response,
    translated,
)
from pytest_turris.process.control_token import without_control_token

if TYPE_CHECKING:
    from mock_server.control.wire.api import Prepared

T = TypeVar("T")

_PREFIX = "/__sandbox__"
PUBLIC = frozenset({DOCUMENT_PATH})
"""Paths below the prefix that need no token."""

_BROWSER = "Mozilla/"
_STREAMS = "/stream"
_REFUSED = 400
_MOST_READ = 64 * 1024 * 1024
"""The longest body of a control that is read; each row has a limit of its own."""

_LONG_BODY = 65_536
"""A longer body may take a long time to process, so a thread does it."""

_MOST_RELAYED = 256 * 1024 * 1024
"""A forwarded answer is up to six times as long in JSON, and some hostile answers are long."""


def control_app(
    hub: RelayHub, tenants: Tenants, token: str, app: App, log: Callable[[str], None]
) -> App:
    """Add the control API to an application, for callers that have the token.

    Args:
        hub: The connected test processes.
        tenants: The sandboxes of the server.
        token: The control token.
        app: Answers every other request.
        log: Gets a line for each change.
    """
    door, relays = ControlDoor(tenants, token, log), Relays(hub, log)
    relayed = asgi_app(
        lambda request: door.caught(lambda: relays.answer(request)), max_body=_MOST_RELAYED
    )
    controlled = asgi_app(door.control, max_body=_MOST_READ)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not _is_controlled(path):
            await app(scope, receive, send)
        elif refusal := door.refusal(translated(scope, b"")):
            await send_response(refusal, send)
        elif process := relays.process_at(path):
            await relays.stream_lines(process, receive, send)
        elif path.startswith(RELAY_PREFIX):
            await relayed(scope, receive, send)
        elif path.endswith(_STREAMS) and scope["method"] == "GET":
            await door.stream(translated(scope, b""), receive, send)
        else:
            await controlled(scope, receive, send)

    return guarded


def _is_controlled(path: str) -> bool:
    inside = path == _PREFIX or path.startswith(f"{_PREFIX}/")
    return inside and path not in PUBLIC


class ControlDoor:
    """Answers the controls for authorised callers.

    Args:
        tenants: The sandboxes of the server.
        token: The control token.
        log: Gets a line for each change.
    """

    def __init__(self, tenants: Tenants, token: str, log: Callable[[str], None]) -> None:
        self._tenants = tenants
        self._bearer = f"Bearer {token}".encode()
        self._log = log

    def refusal(self, request: Request) -> Response | None:
        """The answer to a caller who may not come in, or None."""
        lines = request.lines("authorization")
        scheme, space, rest = (lines[0] if len(lines) == 1 else "").partition(" ")
        given = f"{scheme.capitalize()}{space}{rest}"  # a scheme has no case: RFC 9110, 11.1
        if not hmac.compare_digest(given.encode(), self._bearer):
            challenge = (("www-authenticate", 'Bearer realm="control"'),)
            words = "the control token is missing or wrong"
            return ControlError(401, words, headers=challenge).response
        if request.header("user-agent").startswith(_BROWSER):
            return ControlError(403, "the control API does not answer browsers").response
        return None

    def control(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request, in a thread of its own if it takes long or may have to wait."""
        if self._tenants.is_shared:
            return self._control_shared(request)
        found = self.caught(lambda: self._prepared(request))
        if isinstance(found, Response):
            return found
        if found.control.is_unlocked:
            return found.call.tenant.sending.in_thread(partial(self._done, found))
        # A change can restore or seed thousands of records, or make a whole file due.
        changes = found.control.changes and found.control.scope == "sandbox"
        is_long = changes or len(request.body) > _LONG_BODY
        return found.call.tenant.carry_out(partial(self._done, found), is_long=is_long)

    def _done(self, found: "Prepared") -> Response:
        response = self.caught(found.response)
        if found.control.changes:
            ended = f" -> {response.status}" if response.status >= _REFUSED else ""
            self._log(f"control of {found.call.tenant.name}: {found.control.name}{ended}")
        return response

    async def _control_shared(self, request: Request) -> Response:
        """The same with a shared store, which may make each part wait for another server."""
        found = await asyncio.to_thread(self.caught, lambda: self._prepared(request))
        if isinstance(found, Response):
            return found
        if found.control.is_unlocked:
            return await found.call.tenant.sending.in_thread(partial(self._done, found))
        return await asyncio.to_thread(self._done, found)

    async def stream(self, request: Request, receive: Receive, send: Send) -> None:
        """Stream what a row finds, until the client hangs up."""
        # In a thread, because a shared store is asked for the tenant.
        found = await asyncio.to_thread(self.caught, lambda: self._prepared(request))
        if isinstance(found, Response):
            return await send_response(found, send)
        return await stream(request, found.lines(), receive, send, lambda: self._tenants.is_closed)

    def _prepared(self, request: Request) -> "Prepared":
        from mock_server.control.wire.api import prepared  # noqa: PLC0415 - the first call pays for it

        return prepared(request, self._tenants)

    def caught(self, work: Callable[[], T]) -> T | Response:
        """Return what the work returns, or the answer to the refusal that it raises."""
        try:
            return work()
        except ControlError as error:
            return error.response
        except StoreError as error:
            return unknown_outcome(error).response
        except Exception:  # noqa: BLE001 - the server goes on, and the log has the cause
            trace = without_control_token(traceback.format_exc())
            self._log(f"a bug in the control API; please report it: {trace}")
            return ControlError(500, "a bug in the sandbox; its log has the details").response
