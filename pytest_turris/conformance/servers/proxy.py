"""A proxy on loopback: it tunnels, forwards, and keeps its own credentials to itself."""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from pytest_turris.core.wire.hosts import LOOPBACK_HOSTS

_TIMEOUT = 5.0
_LARGEST_HEAD = 65_536


@contextlib.contextmanager
def loopback_proxy() -> Iterator[int]:
    """The port of a proxy that leads to this machine only, while the context is open."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(_TIMEOUT)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads: bool = True
    block_on_close: bool = False


class _Handler(socketserver.BaseRequestHandler):
    request: socket.socket

    def handle(self) -> None:
        """One connection: CONNECT makes a tunnel, an absolute URL is fetched."""
        self.request.settimeout(_TIMEOUT)
        with contextlib.suppress(OSError, ValueError):
            head, rest = _head(self.request)
            method, target, _ = head[0].split(" ")
            tunnel = method == "CONNECT"
            url = urlsplit(f"//{target}" if tunnel else target)
            if url.hostname not in LOOPBACK_HOSTS:
                return self.request.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            with socket.create_connection((url.hostname, url.port or 80), _TIMEOUT) as origin:
                if tunnel:
                    self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
                    origin.sendall(_forwarded(f"{method} {path} HTTP/1.1", head[1:]) + rest)
                _relay(self.request, origin)
        return None


def _head(client: socket.socket) -> tuple[list[str], bytes]:
    received = b""
    while b"\r\n\r\n" not in received and len(received) < _LARGEST_HEAD:
        piece = client.recv(_LARGEST_HEAD)
        if not piece:
            raise ValueError("the client went away")
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), rest


def _forwarded(line: str, fields: list[str]) -> bytes:
    kept = [f for f in fields if not f.lower().startswith(("proxy-", "connection:"))]
    return "\r\n".join([line, *kept, "Connection: close", "", ""]).encode("latin-1")


def _relay(client: socket.socket, origin: socket.socket) -> None:
    other = {client: origin, origin: client}
    while ready := select.select(list(other), [], [], _TIMEOUT)[0]:
        for side in ready:
            piece = side.recv(65_536)
            if not piece:
                return
            other[side].sendall(piece)
