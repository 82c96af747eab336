"""The part of a connection's protocol that answers plain requests: see ``plain``."""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pytest_turris.core.journal.bounds import MOST_LINES
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.sockets.buffered_transport import BufferedTransport
from pytest_turris.doors.sockets.plain import (
    PlainAnswers,
    PlainHead,
    app_of,
    is_plain,
    whole_answer,
)

if TYPE_CHECKING:
    from pytest_turris.doors.sockets.asgi import App


class AnsweredPacket(NamedTuple):
    """A packet that was one request, and that request."""

    packet: bytes
    request: Request


class PlainRequests(asyncio.Protocol):
    """For uvicorn's httptools protocol: answers plain requests while no other is under way.

    Of the requests in one packet only the first is answered at once, so that other connections
    have their turn before the next.
    """

    # These are set by uvicorn's protocol and by the classes around this one.
    answered: int
    app: Any
    buffered: BufferedTransport
    client: tuple[str, int] | None
    cycle: Any
    flow: Any
    headers: list[tuple[bytes, bytes]]
    is_in_head: bool
    loop: asyncio.AbstractEventLoop
    parser: Any
    pipeline: Any
    plain: PlainAnswers | None
    scheme: str | None
    server_state: Any
    timeout_keep_alive: int
    transport: Any
    url: bytes

    _asked: PlainHead | None = None
    """The head of the plain request that is being read."""
    _body = b""
    _may_answer = False
    _just_answered: Request | None = None
    """The request in the last packet, if it was answered here."""
    _repeatable: AnsweredPacket | None = None
    """The last packet, if it was one request and no more."""
    _idle_since = 0.0
    _timer: asyncio.TimerHandle | None = None

    @property
    def is_in_plain_body(self) -> bool:
        """Whether the head of a plain request has come, and the end of its body has not."""
        return self._asked is not None

    def is_idle(self) -> bool:
        """Whether the next bytes are the head of a request, and not part of a body."""
        last = self.cycle
        return self._asked is None and (
            last is None or (last.response_complete and not last.more_body)
        )

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._may_answer = True
        self._just_answered = self._repeatable = None
        super().data_received(data)

    def answers_again(self, packet: bytes) -> bool:
        """Answer what is, byte for byte, the packet before; return whether it was.

        A client that polls sends the same bytes again and again. They are not parsed again: the
        parser is where it was before that packet, and what it found then is still here.
        """
        before, plain = self._repeatable, self.plain
        if before is None or before.packet != packet or plain is None or self._is_behind():
            return False
        self._answer(before.request, plain)
        return True

    def keep(self, packet: bytes, head: int) -> None:
        """Keep a packet that was one request and no more, if it was answered here.

        Args:
            packet: The packet, which begins with a head.
            head: The length of this head.
        """
        request = self._just_answered
        if request and head + len(request.body) == len(packet):
            self._repeatable = AnsweredPacket(packet, request)

    def on_message_begin(self) -> None:
        """Begin a request; uvicorn does so when it is known to be its own."""
        self.url, self.headers = b"", []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a line of the head."""
        # httptools leaves white space behind a value, which does not belong to it (RFC 9112, 5.1).
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Decide which way the request takes."""
        self._asked = self._plain_head()
        if self._asked is None:
            self._hand_to_uvicorn()

    def on_body(self, body: bytes) -> None:
        """Keep a body, which is short."""
        if self._asked is None:
            super().on_body(body)  # type: ignore[misc]  # as above
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Answer a plain request."""
        asked, self._asked = self._asked, None
        if asked is None or self.plain is None:
            super().on_message_complete()  # type: ignore[misc]  # as above
        else:
            self._answer(self._request(asked), self.plain)

    def on_response_complete(self) -> None:
        """Note since when the connection is idle."""
        super().on_response_complete()  # type: ignore[misc]  # as above
        self._idle_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _plain_head(self) -> PlainHead | None:
        parser = self.parser
        if (
            self.plain is None
            or not self._may_answer
            or not self.is_idle()
            or self._is_behind()
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or not is_plain(parser.get_method(), self.url)
        ):
            return None
        return self.plain.head(tuple(self.headers))

    def _is_behind(self) -> bool:
        """Whether requests or answers wait."""
        return bool(self.pipeline or self.flow.write_paused)

    def _answer(self, request: Request, plain: PlainAnswers) -> None:
        self._may_answer = False
        self.answered += 1
        try:
            answer = plain.answer(request)
        except Exception as error:  # noqa: BLE001 - ASGI's way breaks the connection, or reports a bug
            return self._answer_later(error)
        whole = whole_answer(answer) if isinstance(answer, Response) else None
        if whole is None:
            return self._answer_later(answer)
        self._keep(request)
        self.buffered.write_whole(whole)
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self._timer is None:
            self._close_if_idle()
        return None

    def _keep(self, request: Request) -> None:
        """Keep a request in case it is repeated; a long one must not stay while no other comes."""
        if len(request.headers) <= MOST_LINES:
            self._just_answered = request
        else:
            self.headers = []

    def _request(self, asked: PlainHead) -> Request:
        path, _, query = self.url.decode("ascii").partition("?")
        body, self._body = self._body, b""
        client_ip, client_port = self.client or ("127.0.0.1", 0)
        return Request(
            method=self.parser.get_method().decode("ascii"),
            path=path,
            query=query,
            headers=asked.fields,
            body=body,
            scheme=self.scheme or "http",
            host=asked.host,
            client_ip=client_ip,
            client_port=client_port,
        )

    def _answer_later(self, answer: Response | Awaitable[Response] | Exception) -> None:
        """Let uvicorn send an answer that has to wait, breaks the connection, or is unusual."""
        # uvicorn counts how long the connection is idle after this answer, until it parses again.
        self._repeatable = None
        own: App = self.app
        self.app = cast("Any", self).extended(app_of(answer))
        try:
            self._hand_to_uvicorn()
            super().on_message_complete()  # type: ignore[misc]  # as above
        finally:
            self.app = own

    def _hand_to_uvicorn(self) -> None:
        """Let uvicorn read the head."""
        uvicorn: Any = super()
        url, headers = self.url, self.headers
        uvicorn.on_message_begin()
        self.url = url
        for name, value in headers:
            uvicorn.on_header(name, value)
        uvicorn.on_headers_complete()

    def _close_if_idle(self) -> None:
        """Close a connection that has been idle for long; look again when it may have been.

        One timer for a connection: one for each request, as uvicorn has it, takes long.
        """
        self._timer = None
        if self.is_in_head or not self.is_idle() or self.transport.is_closing():
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._timer = self.loop.call_later(left, self._close_if_idle)
