"""The door for ASGI: for any server, and for a client's ASGI transport."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import nullcontext
from inspect import isawaitable
from typing import Any

from pytest_turris.core.faults.hostile.raw import RawAnswer
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Fields, Request, Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ABORT = "turris.abort"
"""An extension of the server that drops the connection; without it, the app raises."""

WRITE = "turris.write"
"""An extension of the server that writes a ``RawAnswer`` and closes the connection."""

DELAY = "turris.delay"
"""An extension of the server: a context in which an answer waits, and a server that stops does not
wait for it."""

_MAX_BODY = 16 * 1024 * 1024


def asgi_app(
    handle: Callable[[Request], Response | Awaitable[Response]], *, max_body: int = _MAX_BODY
) -> App:
    """An ASGI application in which ``handle`` answers each request.

    Args:
        handle: Returns the response, or an awaitable of it.
        max_body: How many bytes of a request's body are read; the default is a little more than
            any sandbox accepts.

    The application raises ``ConnectionResetError`` if a scripted fault breaks the connection and
    the server cannot drop it. A transport in process, such as ``httpx.ASGITransport``, passes that
    error on as it is; only over a socket does it become the client library's own error.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] != "http":
            raise NotImplementedError(f"the sandbox speaks HTTP, not {scope['type']}")
        body = await _read(receive, max_body)
        if body is None:
            return None
        return await send_answer(lambda: handle(translated(scope, body)), scope, receive, send)

    return app


async def send_answer(
    answer: Callable[[], Response | Awaitable[Response]],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Send what ``answer`` returns or awaits, or break the connection if it raises that."""
    try:
        given = answer()
        response = await given if isawaitable(given) else given
    except ConnectionFailure as failure:
        return await _drop(scope, receive, failure)
    if response.real_delay and await _hung_up(scope, receive, response.real_delay):
        return None
    return await send_response(response, send)


async def _hung_up(scope: Scope, receive: Receive, seconds: float) -> bool:
    """Wait; return whether the client has hung up, or the server, before the end."""
    with scope.get("extensions", {}).get(DELAY, nullcontext)():
        hung_up = asyncio.ensure_future(_disconnected(receive))
        try:
            done, _ = await asyncio.wait([hung_up], timeout=seconds)
        finally:
            hung_up.cancel()
    return bool(done)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # more of a body that is too large


async def _read(receive: Receive, max_body: int) -> bytes | None:
    """The body; of an endless one, a little more than ``max_body`` bytes.

    None if the client disconnects before the end: such a request is not recorded.
    """
    chunks, size, more = [], 0, True
    while more and size <= max_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def translated(scope: Scope, body: bytes) -> Request:
    """The request of a scope."""
    headers = lines_of(scope["headers"])
    host = next((value for name, value in headers if name == "host"), "")
    path = scope.get("raw_path") or scope["path"].encode()
    client_ip, client_port = scope.get("client") or ("127.0.0.1", 0)
    return Request(
        method=scope["method"],
        path=path.partition(b"?")[0].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        scheme=scope.get("scheme", "http"),
        host=host,
        client_ip=client_ip,
        client_port=client_port,
    )


def lines_of(lines: Iterable[tuple[bytes, bytes]]) -> Fields:
    """The lines of a head as the sandbox reads them."""
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in lines)


async def send_response(response: Response, send: Send) -> None:
    """Send a whole response."""
    headers = [(n.encode(), v.encode("latin-1")) for n, v in response.headers]
    if not any(name == b"content-length" for name, _ in headers):  # that of HEAD is GET's
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _drop(scope: Scope, receive: Receive, failure: ConnectionFailure) -> None:
    extensions = scope.get("extensions", {})
    if isinstance(failure, RawAnswer) and WRITE in extensions:
        await extensions[WRITE](failure)
    elif ABORT in extensions:
        extensions[ABORT]()
    else:
        raise ConnectionResetError(str(failure))
    # Wait until the server has noticed: if the app returns earlier, it answers with a 500.
    await receive()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
