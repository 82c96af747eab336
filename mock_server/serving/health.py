"""``GET /__sandbox__/health`` and ``/ready``: for health checks of containers and for scripts.

They need no credential and no known ``Host``, because a probe uses the address of a container. They
reach no sandbox, so they count in no limit and appear in no journal or log. A web page cannot read
them.
"""

from pytest_turris.core.api.http_semantics import without_content
from pytest_turris.core.wire.messages import JSON_HEADERS, NO_SNIFFING, Response, encode
from pytest_turris.doors.sockets.asgi import App, Receive, Scope, Send, send_response

HEALTH = "/__sandbox__/health"
READY = "/__sandbox__/ready"

_OK, _UNAVAILABLE, _METHOD_NOT_ALLOWED = 200, 503, 405
_OF_BROWSERS = frozenset({b"origin", b"sec-fetch-site"})


class Health:
    """Answers the two paths; ``stopping`` is set when the server begins to end."""

    def __init__(self) -> None:
        self.stopping: bool = False

    def added_to(self, app: App) -> App:
        """Return the application with the two paths in front of it."""

        async def with_health(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] in (HEALTH, READY) and not _is_page(scope):
                await self._answer(scope, send)
            else:
                await app(scope, receive, send)

        return with_health

    async def _answer(self, scope: Scope, send: Send) -> None:
        status, word = _OK, "ok"
        if scope["path"] == READY:
            status, word = (_UNAVAILABLE, "stopping") if self.stopping else (_OK, "ready")
        if scope["method"] not in ("GET", "HEAD"):
            status, word = _METHOD_NOT_ALLOWED, "GET only"
        headers = (*JSON_HEADERS, ("cache-control", "no-store"), NO_SNIFFING)
        answer = Response(status=status, headers=headers, body=encode({"status": word}))
        is_head = scope["method"] == "HEAD"
        await send_response(without_content(answer) if is_head else answer, send)


def _is_page(scope: Scope) -> bool:
    """Whether a page in a browser sent it; the next guard decides about those."""
    return any(name in _OF_BROWSERS for name, _ in scope["headers"])
