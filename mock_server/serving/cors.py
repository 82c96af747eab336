"""The origins of browser applications: ``serve --public-url`` and ``serve --cors-origin``.

The latter lets a browser application of one origin use the API. It follows the Fetch standard's
CORS protocol, without credentials of the browser (cookies). The control API below ``/__sandbox__/``
is never opened: its token must not be in a web page.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from pytest_turris.doors.sockets.asgi import App, Message, Receive, Scope, Send

_OWN = "/__sandbox__/"
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}")
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_USUAL = {"http": 80, "https": 443}
_ADVICE = (
    "; to let the browser application of an origin use the API, start it with "
    "'turris-sandbox serve --cors-origin ORIGIN'"
)
_FROM_PAGES = frozenset({b"origin", b"sec-fetch-site"})


def is_origin(text: str) -> bool:
    """Return whether a text is an origin as browsers send it: scheme, host, port, in lower case."""
    return _ORIGIN.fullmatch(text) is not None


def origin_of(url: str) -> str:
    """The origin of a URL as browsers send it: in lower case, without a usual port."""
    address = urlsplit(url)
    name = address.hostname or ""
    name = f"[{name}]" if ":" in name else name
    port = "" if address.port in (None, _USUAL.get(address.scheme)) else f":{address.port}"
    return f"{address.scheme}://{name}{port}" if name else ""


def behind_proxy(app: App, origin: str) -> App:
    """An application whose requests for a public name come through a proxy that ends TLS.

    Args:
        app: The application.
        origin: The origin by which browsers know it.
    """
    scheme, _, host = origin.partition("://")
    named = (b"host", host.encode())

    async def translated(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(
            (name, value) == named for name, value in scope["headers"]
        ):
            scope = {**scope, "scheme": scheme}
        await app(scope, receive, send)

    return translated


def with_cors(app: App, origins: Collection[str]) -> App:
    """Add CORS headers to an application, for some origins.

    Args:
        app: The application. The headers that show that a page sent the request are removed before
            it.
        origins: The origins, as browsers send them.
    """
    known = {origin.encode() for origin in origins}

    async def shared(scope: Scope, receive: Receive, send: Send) -> None:
        origin = _origin(scope)
        if origin not in known or scope["path"].startswith(_OWN):
            return await app(scope, receive, send)
        if scope["method"] == "OPTIONS":
            return await _preflight(scope, origin, send)
        fields = [field for field in scope["headers"] if field[0] not in _FROM_PAGES]
        return await app({**scope, "headers": fields}, receive, _allowing(send, origin))

    return shared


def cors_advice(scope: Scope) -> str:
    """Return how to let in the page that sent a request; empty if no option does it."""
    is_closed = scope["path"].startswith(_OWN)
    return "" if is_closed or not is_origin(_origin(scope).decode("latin-1")) else _ADVICE


def _origin(scope: Scope) -> bytes:
    found = [value for name, value in scope["headers"] if name == b"origin"]
    return found[0] if len(found) == 1 else b""


async def _preflight(scope: Scope, origin: bytes, send: Send) -> None:
    headers = [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-max-age", b"600"),
        (b"vary", b"Origin, Access-Control-Request-Headers"),
    ]
    for name, value in scope["headers"]:
        if name == b"access-control-request-headers" and _NAMES.fullmatch(value):
            headers.append((b"access-control-allow-headers", value))
        if name == b"access-control-request-private-network" and value == b"true":
            headers.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _allowing(send: Send, origin: bytes) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message["headers"],
                (b"access-control-allow-origin", origin),
                # Without credentials, an asterisk means all: limits, request ids, deprecations.
                (b"access-control-expose-headers", b"*"),
                (b"vary", b"Origin"),
            ]
        await send(message)

    return send_with_headers
