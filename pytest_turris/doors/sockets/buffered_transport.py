"""The transport of a connection, with what is written gathered."""

import asyncio
from typing import Any


class BufferedTransport:
    """A transport that sends in one packet what is written in one iteration of the loop.

    uvicorn writes the head and the body of a response separately, and each would wake the client.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport: asyncio.Transport = transport
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Write soon."""
        if not self._parts:
            asyncio.get_running_loop().call_soon(self.flush)
        self._parts.append(data)

    def write_whole(self, data: bytes) -> None:
        """Write what is whole: at once, unless requests on other connections wait.

        A write that wakes a client takes a quarter of the time of a short answer. Of several writes
        in a row to clients in one process, only the first has to wake it.
        """
        if self._parts or _others_wait():
            self.write(data)
        else:
            self.transport.write(data)

    def flush(self) -> None:
        """Write what waits."""
        parts, self._parts = self._parts, []
        if parts:
            self.transport.write(b"".join(parts))

    def close(self) -> None:
        """Write what waits, and close the connection."""
        self.flush()
        self.transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self.transport, name)


def _others_wait() -> bool:
    """Whether asyncio's loop has more to do in this iteration; false for any other loop."""
    return bool(getattr(asyncio.get_running_loop(), "_ready", ()))
