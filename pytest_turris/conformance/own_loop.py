"""An event loop that leaves no connections behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class _OwnLoop(asyncio.SelectorEventLoop):
    """An event loop that knows its connections."""

    def __init__(self) -> None:
        super().__init__()
        self.transports: list[asyncio.Transport] = []

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as documented there
        """As documented; the loop notes the connection."""
        transport, protocol = await super().create_connection(*args, **kwargs)
        self.transports.append(transport)
        return transport, protocol

    async def abort_connections(self) -> None:
        """Close all of them at once."""
        for transport in self.transports:
            transport.abort()
        await asyncio.sleep(0)


def run_in_own_loop(function: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function in a new event loop of asyncio, and close its connections.

    A client that keeps one could not close it any more: that needs the loop. Its test would fail
    with "Event loop is closed", far from what the client did.
    """
    import anyio  # noqa: PLC0415 - a sync client needs no event loop

    loops: list[_OwnLoop] = []

    def make_loop() -> _OwnLoop:
        loops.append(_OwnLoop())
        return loops[-1]

    async def run() -> T:
        try:
            return await function()
        finally:
            await loops[-1].abort_connections()

    return anyio.run(run, backend="asyncio", backend_options={"loop_factory": make_loop})
