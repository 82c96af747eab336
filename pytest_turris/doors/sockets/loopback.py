"""Refuses requests of web pages and requests for other host names.

A page in the developer's browser can send requests to loopback, and with a name that is re-bound
to 127.0.0.1 (DNS rebinding) it can read the answers. So a foreign ``Origin`` or ``Host`` is
refused.
"""

from collections.abc import Collection

from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.hosts import HOSTS, LOOPBACK_HOSTS
from pytest_turris.core.wire.messages import encode
from pytest_turris.doors.sockets.asgi import App, Receive, Scope, Send

_NAMES = frozenset({"[::1]", *LOOPBACK_HOSTS, *HOSTS.values()})


def loopback_only(app: App, *, also: Collection[str] = ()) -> App:
    """The application, guarded; ``also`` are host names to accept besides those of loopback."""
    names = _NAMES | {name.lower() for name in also}

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := _foreign(scope, names)):
            await _refuse(send, *refusal)
        else:
            await app(scope, receive, send)

    return guarded


def _foreign(scope: Scope, names: frozenset[str]) -> tuple[int, str] | None:
    """The status and message with which a request is refused, or None."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or _name(hosts[0]) not in names:
        return 421, "Misdirected request: the sandbox answers to loopback names only"
    origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    own = f"{scope.get('scheme', 'http')}://{hosts[0]}"
    if any(origin != own for origin in origins):
        return 403, "Requests from web pages are refused"
    return None


def _name(host: str) -> str:
    """The host without its port; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


async def _refuse(send: Send, status: int, message: str) -> None:
    body = encode(error_document(status, "forbidden", [message]))
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
