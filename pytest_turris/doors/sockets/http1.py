"""HTTP/1.1 on one connection: uvicorn's protocols with our error bodies and connection control.

httptools parses requests if it is installed, since it is four times as fast as h11. But it drops
the body of a request that offers an upgrade, as each POST of Java's own client does
(``Upgrade: h2c``). From such a request on, h11 parses the connection.
"""

import asyncio
import contextlib
import logging
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from pytest_turris.doors.sockets import raw_response
from pytest_turris.doors.sockets.asgi import (
    ABORT,
    DELAY,
    WRITE,
    App,
    Receive,
    Scope,
    Send,
    send_response,
)
from pytest_turris.doors.sockets.buffered_transport import BufferedTransport
from pytest_turris.doors.sockets.limits import (
    MAX_HEAD,
    BoundedHead,
    _PatientFlow,
    expect_progress,
    most_connections,
)
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.doors.sockets.plain_requests import PlainRequests
from pytest_turris.doors.sockets.refusals import (
    LENGTHS,
    LOG,
    Refusal,
    UnreadBodyError,
    asked_for,
    not_http,
    refusal_by_parser,
    refusal_of,
)

_UPGRADE = re.compile(rb"\nupgrade[ \t]*:", re.IGNORECASE)
_UPGRADE_LENGTH = len(b"\r\nupgrade:") + 16
"""The longest match in practice: no client sends so much white space before the colon."""

_HAS_HTTPTOOLS = hasattr(AutoHTTPProtocol, "on_headers_complete")
"""Whether uvicorn parses with httptools; otherwise with h11."""

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)(.*)", re.DOTALL)
"""A request's target that names a host: the host, and path and query."""

_READ_SIZE = 65_536
_LONGEST_KEPT = 8_192
"""Bytes of a packet that a connection keeps, in case it is repeated."""
_HEAD_END = b"\r\n\r\n"
_TOO_LARGE = Refusal(431, f"Request headers exceed {MAX_HEAD} bytes")
_BUG = Refusal(500, "Internal server error")
_BUSY = Refusal(503, "Too many connections are open")

_UVICORN = logging.getLogger("uvicorn.error.turris")
"""uvicorn's log without its warnings: they say neither who was refused nor why, as ours do."""
_UVICORN.setLevel(logging.ERROR)


def protocol(plain: PlainAnswers | None = None) -> Callable[..., asyncio.Protocol]:
    """What makes the protocol of each connection for uvicorn.

    Args:
        plain: Answers the plain requests, if not the application does. Without httptools, all
            requests are the application's.
    """
    return partial(_HttptoolsProtocol, plain=plain) if _HAS_HTTPTOOLS else _h11_protocol()


def _h11_protocol() -> Callable[..., asyncio.Protocol]:
    # Most machines have httptools, few clients offer an upgrade, and h11 takes long to import.
    from pytest_turris.doors.sockets.http1_h11 import _UpgradableProtocol  # noqa: PLC0415 - see above

    return _UpgradableProtocol


class ServerMixin(asyncio.Protocol):
    """Can drop a connection, refuses broken HTTP as Turris does, and sends a response at once."""

    app: Any
    client: Any
    connections: Any
    cycle: Any
    flow: Any
    headers: Any
    logger: Any
    scope: Any
    transport: Any
    is_head_too_large: bool = False
    is_delayed: bool = False
    """Whether an answer waits only for time."""
    answered: int = 0
    """How many requests were answered without ASGI."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn's own type
        """Give the application our extensions for this connection."""
        # asyncio makes a buffer of this size for each read. Its 256 KiB take longer than to parse a
        # request, because the allocator returns so much to the system each time.
        transport.max_size = _READ_SIZE
        self.logger = _UVICORN
        self.buffered: BufferedTransport = BufferedTransport(transport)
        super().connection_made(cast("Any", self.buffered))
        self.flow = _PatientFlow(transport, self.has_waiting)
        if len(self.connections) > most_connections():
            return self.refuse(_BUSY)
        expect_progress(self, transport)
        self._extensions = {
            ABORT: transport.abort,
            DELAY: self._delayed,
            WRITE: partial(raw_response.write, transport=transport, is_full=self._is_full),
        }
        self.app = self.extended(self.app)
        return None

    def extended(self, app: App) -> App:
        """An application with our extensions for this connection."""
        return partial(_extended, app, self._extensions)

    def shutdown(self) -> None:
        """Close the connection as the server stops, after its answer if that is under way."""
        if self.is_delayed:
            self.buffered.transport.abort()
        else:
            super().shutdown()  # type: ignore[misc]  # uvicorn's

    def eof_received(self) -> None:
        """The client sends no more: the connection ends once everything was sent to it."""
        self.buffered.flush()
        super().eof_received()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed; no sandbox sees it or records it."""
        del msg  # it does not say why
        # uvicorn calls this while it handles the parser's exception.
        self.refuse(_TOO_LARGE if self.is_head_too_large else refusal_by_parser(sys.exception()))

    def on_response_complete(self) -> None:
        """Answer the next request, and read on if it was the last one."""
        super().on_response_complete()  # type: ignore[misc]  # uvicorn's
        self.flow.resume_reading()

    def has_waiting(self) -> bool:
        """Whether whole requests wait behind the one that is being answered."""
        raise NotImplementedError

    def is_reading(self) -> bool:
        """Whether the end of a head or body has not come yet."""
        return bool(self.cycle.more_body) if self.cycle else not self.answered

    def refuse(self, refusal: Refusal) -> None:
        """Answer, log why, and close the connection."""
        host, port = (self.client or ("an unknown address", 0))[:2]
        LOG.warning("%s", refusal.line(f"a request from {host} port {port}"))
        response, status = refusal.response(), HTTPStatus(refusal.status)
        lines = (*response.headers, ("content-length", str(len(response.body))))
        fields = "".join(f"{name}: {value}\r\n" for name, value in lines)
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\n{fields}\r\n"
        self.transport.write(head.encode() + response.body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Say so if a client wants a WebSocket: it gets another answer than it waits for.

        Other offers are declined without a word: Java's client makes one with each request.
        """
        if any(
            name == b"upgrade" and value.lower() == b"websocket" for name, value in self.headers
        ):
            LOG.warning("%s: the sandbox has no WebSockets", asked_for(self.scope))

    @contextlib.contextmanager
    def _delayed(self) -> Iterator[None]:
        self.is_delayed = True
        try:
            yield
        finally:
            self.is_delayed = False

    def _is_full(self) -> bool:
        return bool(self.flow.write_paused)


class _HttptoolsProtocol(BoundedHead, PlainRequests, ServerMixin, AutoHTTPProtocol):  # type: ignore[misc,valid-type]  # uvicorn's pick
    """Parses with httptools up to the first offer of an upgrade."""

    _head = b""
    """What has arrived of a head whose end has not."""

    def __init__(self, *args: Any, plain: PlainAnswers | None, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        self.plain: PlainAnswers | None = plain
        super().__init__(*args, **kwargs)

    def data_received(self, data: bytes) -> None:
        """Parse, or hand over to the other protocol from the first byte of a request on."""
        if not self.is_idle():
            return super().data_received(data)
        if self.answers_again(data):
            return None
        if not (self.is_in_head or self._head or data.strip(b"\r\n")):
            # Empty lines before a request mean nothing (RFC 9112, 2.2). The parser does not get
            # them: uvicorn would no longer wait for the end of an idle connection.
            return None
        begins_here = not (self.is_in_head or self._head)
        if self.is_in_head and not self._head and _UPGRADE.search(data):
            # The other protocol cannot have the whole head: its beginning came behind a request.
            return self.refuse(not_http("an upgrade is offered behind another request"))
        head, known = self._head + data, len(self._head)
        # The field name may arrive in two parts.
        if _UPGRADE.search(head, max(0, known - _UPGRADE_LENGTH)):
            return self._hand_over().data_received(head)
        end = head.find(_HEAD_END, max(0, known - len(_HEAD_END)))
        self._head = b"" if end >= 0 or len(head) > MAX_HEAD else head
        super().data_received(data)
        if begins_here and len(data) <= _LONGEST_KEPT:
            self.keep(data, end + len(_HEAD_END))
        return None

    def on_headers_complete(self) -> None:
        """Read the target, and refuse a body that the parser would take for further requests.

        Only the head of a request that begins a packet while no other is under way is searched for
        an offer. The parser finds the others, and skips their bodies.
        """
        self.url = _origin_form(self.url, self.headers)
        if self.parser.should_upgrade() and not LENGTHS.isdisjoint(dict(self.headers)):
            raise UnreadBodyError
        super().on_headers_complete()

    def has_waiting(self) -> bool:
        """Whether whole requests wait behind the one that is being answered."""
        return bool(self.pipeline)

    def is_reading(self) -> bool:
        """Whether the end of a head or body has not come yet."""
        return self.is_in_head or self.is_in_plain_body or super().is_reading()

    def _hand_over(self) -> asyncio.Protocol:
        """Replace this protocol, as uvicorn does when a connection becomes a WebSocket."""
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        transport = self.buffered.transport
        protocol = _h11_protocol()(self.config, self.server_state, self.app_state)
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        return protocol


async def _extended(
    app: App, extensions: dict[str, Any], scope: Scope, receive: Receive, send: Send
) -> None:
    scope["extensions"] = scope.get("extensions", {}) | extensions
    _read_target(scope)
    if refusal := refusal_of(scope):
        LOG.warning("%s", refusal.line(asked_for(scope)))
        return await send_response(refusal.response(), send)
    try:
        await app(scope, receive, send)
    except Exception:
        # uvicorn logs it, and would answer in plain text. If it has answered already, it refuses.
        with contextlib.suppress(RuntimeError):
            await send_response(_BUG.response(), send)
        raise


def _read_target(scope: Scope) -> None:
    """Let a scope of h11, which leaves the target as it is, have a path (RFC 9112, 3.2.2)."""
    raw = _origin_form(scope["raw_path"], scope["headers"])
    if raw != scope["raw_path"]:
        scope.update(raw_path=raw, path=unquote(raw.decode("ascii")))


def _origin_form(target: bytes, lines: list[tuple[bytes, bytes]]) -> bytes:
    """Path and query of a target; the host that it names, if any, replaces that of the lines."""
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        return target
    host, path = absolute.groups()
    lines[:] = [(name, host if name == b"host" else value) for name, value in lines]
    return path if path.startswith(b"/") else b"/" + path
