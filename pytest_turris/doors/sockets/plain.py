"""Plain requests: answered as soon as their last byte has come, without ASGI.

The task, the scope and the messages of ASGI take longer than the sandbox does. A request is plain
if no layer in front of the API would do more than pass it on: it is whole and short, comes from no
web page, and names this server and a path of the API. All others take the way through ASGI.
"""

import contextlib
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

from pytest_turris.core.journal.bounds import MOST_LINES
from pytest_turris.core.wire.messages import Fields, Request, Response
from pytest_turris.doors.sockets.asgi import App, Receive, Scope, Send, lines_of, send_answer
from pytest_turris.doors.sockets.loopback import is_for, names_of_server

PlainHandler = Callable[[Request], Response | Awaitable[Response]]
_Line = tuple[bytes, bytes]

_METHODS = frozenset({b"GET", b"POST", b"PUT", b"PATCH", b"DELETE"})
_OWN_PATHS = b"/__sandbox__"
_NOT_PLAIN = frozenset({b"origin", b"sec-fetch-site", b"transfer-encoding", b"expect"})
"""Lines with which the guards and uvicorn have more to do."""

_SINGLE = (b"host", b"content-length")
_LONGEST_BODY = 65_536
_KNOWN_HEADS = 128
"""A client repeats its head with each request until it gets another token."""

_OF_CONNECTION = frozenset({"connection", "content-length", "transfer-encoding"})
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class PlainHead:
    """The lines of a request's head, as the sandbox reads them."""

    fields: Fields
    host: str


class PlainAnswers:
    """Answers the plain requests of a server.

    Args:
        answer: Returns the response, or an awaitable of it.
        also: The host names of the server besides those of loopback.
    """

    def __init__(self, answer: PlainHandler, also: Collection[str] = ()) -> None:
        self.answer: PlainHandler = answer
        self._names = names_of_server(also)
        self._known: Callable[[tuple[_Line, ...]], PlainHead | None] = lru_cache(_KNOWN_HEADS)(
            self._head
        )

    def head(self, lines: tuple[_Line, ...]) -> PlainHead | None:
        """The head of a request with these lines, or None if it is not plain."""
        # Thousands of lines take a megabyte as objects.
        return self._known(lines) if len(lines) <= MOST_LINES else self._head(lines)

    def _head(self, lines: tuple[_Line, ...]) -> PlainHead | None:
        names = [name for name, _ in lines]
        known = dict(lines)
        if not _NOT_PLAIN.isdisjoint(known) or any(names.count(name) > 1 for name in _SINGLE):
            return None
        length, host = known.get(b"content-length", b"0"), known.get(b"host", b"").decode("latin-1")
        # The parser has made sure that it is a number.
        if int(length) > _LONGEST_BODY or not is_for(host, self._names):
            return None
        return PlainHead(lines_of(lines), host)


def is_plain(method: bytes, url: bytes) -> bool:
    """Whether a request line is that of a plain request: for a path of the API, spelled plainly."""
    return (
        method in _METHODS
        and url.startswith(b"/")
        and not url.startswith(_OWN_PATHS)
        and b"%" not in url.partition(b"?")[0]
        and b"#" not in url
        and url.isascii()
    )


def whole_answer(response: Response) -> bytes | None:
    """The bytes of a response that can be sent at once; None if ASGI has to look at it."""
    start = None if response.real_delay else _start(response.status, response.headers)
    if start is None:
        return None
    return b"%b%d\r\n\r\n%b" % (start, len(response.body), response.body)


@lru_cache(maxsize=256)
def _start(status: int, headers: Fields) -> bytes | None:
    """What comes before the length of the body, for most answers the same."""
    lines = [f"HTTP/1.1 {status} {_phrase(status)}"]
    for name, value in headers:
        if not _NAME.fullmatch(name) or _CONTROL.search(value) or name.lower() in _OF_CONNECTION:
            return None
        lines.append(f"{name.lower()}: {value}")
    with contextlib.suppress(UnicodeEncodeError):
        return "\r\n".join([*lines, "content-length: "]).encode("latin-1")
    return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def app_of(answer: Response | Awaitable[Response] | Exception) -> App:
    """An application that sends an answer, or raises an exception, for a request that was read."""

    def given() -> Response | Awaitable[Response]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send_answer(given, scope, receive, send)

    return app
