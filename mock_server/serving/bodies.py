"""A bound for the bodies that are read at the same time: anyone may send them, and slowly."""

from collections.abc import Callable

from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.messages import JSON_HEADERS, NO_SNIFFING, Response, encode
from pytest_turris.doors.sockets.asgi import App, Message, Receive, Scope, Send, send_response
from pytest_turris.doors.sockets.refusals import Refusal, asked_for

MOST_HELD = 256 * 1024 * 1024
"""Bytes of all bodies together."""
_SHORT = 65_536
"""A shorter body is always read: usual clients are answered even if others use up the rest."""
_LONGEST_READ = 16 * 1024 * 1024
"""What comes after it is not kept: the application reads no more."""
_MESSAGE = "Too many long bodies are sent at the same time"
_FULL = Response(
    status=503,
    headers=(*JSON_HEADERS, ("retry-after", "1"), NO_SNIFFING),
    body=encode(error_document(503, "internal_error", [_MESSAGE])),
)


class _FullError(Exception):
    """There is no room for more of a body."""


def bounded_bodies(
    app: App, most: int = MOST_HELD, on_refusal: Callable[[str], None] = lambda _: None
) -> App:
    """An application whose bodies take up so much memory at most; what is beyond it gets a 503.

    Args:
        app: Reads at most 16 MiB of a body, before it answers.
        most: The bytes of all bodies whose requests are not answered yet.
        on_refusal: Gets a line for each request that is refused, with the reason.
    """
    held = 0

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal held
        own = 0

        async def counted() -> Message:
            nonlocal held, own
            message = await receive()
            size = len(message.get("body", b"")) if own < _LONGEST_READ else 0
            if own + size > _SHORT and held + size > most:
                raise _FullError
            held += size
            own += size
            return message

        try:
            await app(scope, counted, send)
        except _FullError:
            on_refusal(Refusal(_FULL.status, _MESSAGE).line(asked_for(scope)))
            await send_response(_FULL, send)
        finally:
            held -= own

    return bounded
