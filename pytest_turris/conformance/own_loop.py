"""Event loops that are closed as ``asyncio.run`` closes them, and leave no connections behind."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class _OwnLoop(asyncio.SelectorEventLoop):
    """An event loop that knows its connections, and can end them after it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.transports: list[asyncio.Transport] = []

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as documented there
        """As documented; the loop notes the connection."""
        transport, protocol = await super().create_connection(*args, **kwargs)
        self.transports.append(transport)
        return transport, protocol

    def close(self) -> None:
        """Look closed: what uses it raises RuntimeError."""
        self._closed = True

    def end(self) -> None:
        """End its connections, and close it."""
        self._closed = False
        self.run_until_complete(self._abort_connections())
        super().close()

    async def _abort_connections(self) -> None:
        for transport in self.transports:
            # What a client closed after its loop is half closed, and cannot be aborted any more.
            lost = getattr(transport, "_call_connection_lost", None)
            if transport.is_closing() and lost and getattr(transport, "_sock", None):
                lost(None)
            transport.abort()
        await asyncio.sleep(0)


class OwnLoops:
    """Runs coroutine functions of asyncio, each in an event loop that is closed after it.

    A client that keeps a connection of such a loop cannot use it any more. It could not close it
    either, and its test would fail with "Event loop is closed", far from what the client did: so
    ``close`` ends the connections.
    """

    def __init__(self) -> None:
        self._loops: list[_OwnLoop] = []

    def close(self) -> None:
        """End the connections."""
        # In a thread: the calling one may have a running event loop.
        ending = Thread(target=self._end, daemon=True)
        ending.start()
        ending.join()

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function in a new event loop."""
        import anyio  # noqa: PLC0415 - a sync client needs no event loop

        options = {"loop_factory": self._make}
        return anyio.run(function, backend="asyncio", backend_options=options)

    def _end(self) -> None:
        for loop in self._loops:
            loop.end()

    def _make(self) -> _OwnLoop:
        self._loops.append(_OwnLoop())
        return self._loops[-1]
