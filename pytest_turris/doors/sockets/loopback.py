"""Refuses requests of web pages and requests for other host names.

A page in the developer's browser can send requests to loopback, and with a name that is re-bound
to 127.0.0.1 (DNS rebinding) it can read the answers. So a foreign ``Origin`` or ``Host`` is
refused, and what a browser says it sends for a page of another site: an image has no ``Origin``.
"""

from collections.abc import Callable, Collection

from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.hosts import HOSTS, LOOPBACK_HOSTS
from pytest_turris.core.wire.messages import JSON_HEADERS, NO_SNIFFING, Response, encode
from pytest_turris.doors.sockets.asgi import App, Receive, Scope, Send, send_response
from pytest_turris.doors.sockets.refusals import Refusal, asked_for

_NAMES = frozenset({"[::1]", *LOOPBACK_HOSTS, *HOSTS.values()})

MISDIRECTED = 421
"""The status of a refusal for the request's ``Host``."""
_NO_HOST = "Misdirected request: it has no Host header"

_OWN_SITES = frozenset({b"none", b"same-origin"})
"""Values of ``Sec-Fetch-Site`` for what a person or the server's own page asks for."""


def loopback_only(
    app: App,
    *,
    also: Collection[str] = (),
    own: str = "",
    advice: Callable[[Scope, int], str] = lambda *_: "",
    on_refusal: Callable[[str], None] = lambda _: None,
) -> App:
    """The application, guarded.

    Args:
        app: The application.
        also: Host names to accept besides those of loopback.
        own: The origin by which browsers know the server, if a proxy is before it.
        advice: Says how to accept a request that is refused with a status, for the refusal.
        on_refusal: Gets a line for each request that is refused, with the reason.
    """
    names = names_of_server(also)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := _foreign(scope, names, own)):
            status, message = refusal
            message += "" if message == _NO_HOST else advice(scope, status)
            on_refusal(Refusal(status, message).line(asked_for(scope)))
            await _refuse(send, status, message)
        else:
            await app(scope, receive, send)

    return guarded


def names_of_server(also: Collection[str]) -> frozenset[str]:
    """The host names of a server: those of loopback, and others."""
    return _NAMES | {name.lower() for name in also}


def is_for(host: str, names: frozenset[str]) -> bool:
    """Whether a ``Host`` has one of these names, with or without a port."""
    return _name(host) in names


def _foreign(scope: Scope, names: frozenset[str], public: str) -> tuple[int, str] | None:
    """The status and message with which a request is refused, or None."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if not hosts:  # as HTTP/1.0 allows
        return MISDIRECTED, _NO_HOST
    if len(hosts) != 1 or not is_for(hosts[0], names):
        return MISDIRECTED, "Misdirected request: the sandbox answers to loopback names only"
    origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    own = (public, f"{scope.get('scheme', 'http')}://{hosts[0]}")
    sites = {value for name, value in scope["headers"] if name == b"sec-fetch-site"}
    if any(origin not in own for origin in origins) or not sites <= _OWN_SITES:
        return 403, "Requests from web pages are refused"
    return None


def _name(host: str) -> str:
    """The host without its port; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


async def _refuse(send: Send, status: int, message: str) -> None:
    body = encode(error_document(status, "forbidden", [message]))
    headers = (*JSON_HEADERS, NO_SNIFFING, ("connection", "close"))
    await send_response(Response(status=status, headers=headers, body=body), send)
