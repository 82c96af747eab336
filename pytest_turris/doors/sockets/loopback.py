"""Who may talk to a sandbox on this machine: no web page, no foreign name.

A page open in the developer's browser can send requests to loopback, and a name that is
re-bound to 127.0.0.1 can read the answers. So foreign ``Origin`` and ``Host`` are refused.
"""

from collections.abc import Collection

from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.hosts import HOSTS, LOOPBACK_HOSTS
from pytest_turris.core.wire.messages import encode
from pytest_turris.doors.sockets.asgi import App, Receive, Scope, Send

_NAMES = frozenset({"[::1]", *LOOPBACK_HOSTS, *HOSTS.values()})


def loopback_only(app: App, *, also: Collection[str] = ()) -> App:
    """The application, for callers that mean this machine; ``also`` names further hosts."""
    names = _NAMES | {name.lower() for name in also}

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (words := _foreign(scope, names)):
            await _refuse(send, *words)
        else:
            await app(scope, receive, send)

    return guarded


def _foreign(scope: Scope, names: frozenset[str]) -> tuple[int, str] | None:
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


async def _refuse(send: Send, status: int, words: str) -> None:
    body = encode(error_document(status, "forbidden", [words]))
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
