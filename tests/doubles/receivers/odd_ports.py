"""What may listen at a URL in place of a receiver: each answers every connection in its way."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import trustme

SETTINGS = b"\0\0\0\4\0\0\0\0\0"
GO_AWAY = b"\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\1"

Talk = Callable[[socket.socket], None]


def says(text: bytes) -> Talk:
    """Reads a little, writes a text and hangs up."""

    def talk(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(text)
        # What is still unread when a connection is closed resets it, and the text is lost.
        line.shutdown(socket.SHUT_WR)
        is_silent(line)

    return talk


def hangs_up(line: socket.socket) -> None:
    """Reads a little and hangs up."""
    line.recv(65536)


def is_silent(line: socket.socket) -> None:
    """Reads, and never writes."""
    while line.recv(65536):
        pass


def speaks_http2(line: socket.socket) -> None:
    """Sends its settings to a client of HTTP/2, and goes away from any other."""
    line.sendall(SETTINGS if line.recv(65536).startswith(b"PRI *") else SETTINGS + GO_AWAY)


def speaks_http2_or_hangs_up(line: socket.socket) -> None:
    """Sends its settings to a client of HTTP/2, and hangs up on any other."""
    if line.recv(65536).startswith(b"PRI *"):
        line.sendall(SETTINGS)


def hangs_up_on_large_bodies(line: socket.socket) -> None:
    """Accepts whatever is small, and closes the connection when a large body is announced."""
    head = line.recv(65536)
    small = b"Content-Length: 67108864" not in head and b"chunked" not in head
    line.sendall(b"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n" if small else b"")


@contextlib.contextmanager
def listening(talk: Talk, host: str = "127.0.0.1", *, tls: bool = False) -> Iterator[int]:
    """A port that talks so; over TLS with a certificate of an authority that is not trusted."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
    if context is not None:
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def converse(line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            if context is None:
                talk(line)
                return
            with context.wrap_socket(line, server_side=True) as secure:
                talk(secure)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listener.accept()
                threading.Thread(target=converse, args=(line,), daemon=True).start()

    with socket.create_server((host, 0), family=family) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
