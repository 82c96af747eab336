"""Receivers of webhooks: slow, dead and silent ones, in a thread of their own."""

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from types import TracebackType
from typing import Self

SLOW_SECONDS = 0.1


class Receivers:
    """A receiver of each kind; the path of its URL names who registered it."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        """How often the slow one answered, by path."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="receivers")
        self._ports: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        # Bound, so that no other program gets the port, but not listening.
        self._refusing = socket.socket()
        self._refusing.bind(("127.0.0.1", 0))
        self._ports["refusing"] = self._refusing.getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._refusing.close()

    def url(self, kind: str, path: str) -> str:
        """The URL of the receiver of a kind, for a path of one's own."""
        return f"http://127.0.0.1:{self._ports[kind]}/{path}"

    async def _listen(self) -> None:
        self._servers = []
        for kind, serve in (
            ("slow", self._slow), ("resetting", self._resetting), ("silent", self._silent),
        ):  # fmt: skip
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            self._servers.append(server)
            self._ports[kind] = server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _slow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                await asyncio.sleep(SLOW_SECONDS)
                self.received[head.split(b" ", 2)[1].decode().strip("/")] += 1
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async def _resetting(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async def _silent(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # else asyncio prints it at the end
            await reader.read()
        writer.close()
