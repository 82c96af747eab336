"""A proxy that ends TLS, as one in front of a shared sandbox does."""

import asyncio
import contextlib
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator

import trustme

_CHUNK = 65_536


class TlsProxy:
    """Passes the bytes of each connection on to a port of this machine."""

    def __init__(self, name: str) -> None:
        self.upstream = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert(name).configure_cert(self._context)
        self._started = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._thread.start()
        self._started.wait()
        self.url = f"https://{name}:{self._port}"

    def close(self) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0, ssl=self._context)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._ended.wait()
        server.close()

    async def _pass(self, reader: StreamReader, writer: StreamWriter) -> None:
        from_there, to_there = await asyncio.open_connection("127.0.0.1", self.upstream)
        await asyncio.gather(_copy(reader, to_there), _copy(from_there, writer))


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.contextmanager
def tls_proxy(name: str) -> Iterator[TlsProxy]:
    """A proxy with a certificate for a name."""
    with contextlib.closing(TlsProxy(name)) as found:
        yield found
