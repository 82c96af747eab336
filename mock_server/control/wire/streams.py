"""Streams of results: one JSON object a line, or server-sent events if the client accepts those."""

import asyncio
from collections.abc import Callable, Iterator

from pytest_turris.core.wire.messages import NO_SNIFFING, Request
from pytest_turris.doors.sockets.asgi import Receive, Send

_PAUSE = 0.1
"""Seconds between two looks at what is new."""

_HEARTBEAT = 100
"""After this number of pauses without a line, an empty line keeps the stream alive."""

_EVENTS = "text/event-stream"


async def stream(
    request: Request,
    lines: Iterator[list[bytes]],
    receive: Receive,
    send: Send,
    is_closed: Callable[[], bool],
) -> None:
    """Send lines as they come, until the client hangs up or the server stops.

    Args:
        request: The request, whose ``Accept`` chooses the form.
        lines: What is new at each look.
        receive: Says when the client hangs up.
        send: Sends to the client.
        is_closed: Whether the server stops.
    """
    as_events = _EVENTS in request.header("accept")
    media_type = _EVENTS if as_events else "application/x-ndjson"
    fields = (("content-type", media_type), ("cache-control", "no-store"), NO_SNIFFING)
    headers = [(name.encode(), value.encode()) for name, value in fields]
    hung_up = asyncio.create_task(_hung_up(receive))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    quiet = _HEARTBEAT  # the first line comes at once, so that a client knows that it is connected
    while not hung_up.done() and not is_closed():
        # In a thread, because a shared store may make it wait.
        new = await asyncio.to_thread(next, lines)
        found = b"".join(b"data: %b\n\n" % line if as_events else line + b"\n" for line in new)
        quiet = 0 if found else quiet + 1
        if quiet > _HEARTBEAT:
            found, quiet = b": \n\n" if as_events else b"\n", 0
        if found:
            await send({"type": "http.response.body", "body": found, "more_body": True})
        await asyncio.wait((hung_up,), timeout=_PAUSE)
    hung_up.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
