"""The door of the page: which requests are for it, and whose body is read.

The rest is imported at the first of them.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from mock_server.control.tenants import Tenants
from mock_server.page.sign_in import ROOT, SIGN_IN, SignIn
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.sockets.asgi import (
    App,
    Receive,
    Scope,
    Send,
    asgi_app,
    send_answer,
    translated,
)

if TYPE_CHECKING:
    from mock_server.page.application import Application

_PREFIX = f"{ROOT}page/"
_ROOTS = frozenset({ROOT, ROOT.rstrip("/")})
_LARGEST = 64 * 1024 * 1024
"""The longest body that a browser sends is a world to import."""
_LARGEST_TOKEN = 65_536
"""The longest body that is read without a session: the form that signs in."""


def page_app(tenants: Tenants, sign_in: SignIn, app: App, log: Callable[[str], None]) -> App:
    """Add the page to an application.

    Args:
        tenants: The sandboxes of the server.
        sign_in: Who may see it.
        app: Answers every other request.
        log: Gets a line for each change.
    """
    made: list[Application] = []

    def application() -> "Application":
        if not made:
            from mock_server.page.application import Application  # noqa: PLC0415 - the first visit pays for it

            made.append(Application(tenants, sign_in, log))
        return made[0]

    def answer(request: Request) -> Response | Awaitable[Response]:
        return application().answer(request)

    paged = asgi_app(answer, max_body=_LARGEST)
    signing_in = asgi_app(answer, max_body=_LARGEST_TOKEN)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path in _ROOTS or path.startswith(_PREFIX)):
            await app(scope, receive, send)
            return
        request = translated(scope, b"")
        is_form = request.method == "POST" and bool(request.header("origin"))
        if path.endswith("/stream") and request.method == "GET":
            await application().stream(request, receive, send)
        elif is_form and sign_in.session(request):
            await paged(scope, receive, send)
        elif is_form and path == SIGN_IN:
            await signing_in(scope, receive, send)
        else:
            # No body decides about this answer, so none is read.
            await send_answer(lambda: answer(request), scope, receive, send)

    return guarded
