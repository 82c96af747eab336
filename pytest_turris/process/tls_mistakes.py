"""Says what is wrong where a client of HTTPS meets a port of HTTP, or does not trust it.

The error alone does not tell: it depends on the version of OpenSSL, or is a connection that ends.
So the port is asked once more.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

_SECONDS = 2.0
_GET = b"GET / HTTP/1.0\r\n\r\n"
_PORTS = {"http": 80, "https": 443}

Connect = Callable[[], socket.socket]
"""Opens a connection to the port, without TLS."""


def tls_mistake(error: BaseException, url: str) -> str:
    """Return what is wrong about TLS, and what to do, in one sentence.

    Args:
        error: Why there was no answer.
        url: The URL that was asked.

    Returns:
        The sentence; empty if the reason is another one.
    """
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or _PORTS[address.scheme]

    def connect() -> socket.socket:
        return socket.create_connection((host, port), timeout=_SECONDS)

    for one in _chain(error):
        if isinstance(one, ssl.SSLError):
            return why_tls_fails(one, address.netloc, connect)
    if address.scheme == "http" and not isinstance(error, TimeoutError | ConnectionRefusedError):
        return use_https(address.netloc) if speaks_tls(host, connect) else ""
    return ""


def why_tls_fails(error: ssl.SSLError, at: str, connect: Connect) -> str:
    """Return why a handshake fails, in one sentence; connects again to find out.

    Args:
        error: The failure.
        at: The host and the port, as they are shown.
        connect: Opens a connection to them.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {at} is not trusted ({error.verify_message}): let SSL_CERT_FILE "
            "name the certificate of its authority"
        )
    if first_bytes(connect, _GET).startswith(b"HTTP/"):
        return f"{at} speaks plain HTTP: use http:// in the URL"
    return f"TLS with {at} fails: {error}"


def use_https(at: str) -> str:
    """Return what to do at a port that speaks TLS.

    Args:
        at: The host and the port, as they are shown.
    """
    return f"{at} speaks TLS: use https:// in the URL"


def speaks_tls(host: str, connect: Connect) -> bool:
    """Whether a handshake with a port succeeds, with any certificate.

    Args:
        host: The name to ask for.
        connect: Opens a connection to the port.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError), connect() as sock:
        context.wrap_socket(sock, server_hostname=host).close()
        return True
    return False


def first_bytes(connect: Connect, sent: bytes) -> bytes:
    """Return the first bytes that a port answers to some bytes without TLS; empty if none come.

    Args:
        connect: Opens a connection to the port.
        sent: What to send.
    """
    with contextlib.suppress(OSError), connect() as sock:
        sock.sendall(sent)
        return sock.recv(16) if select.select([sock], [], [], _SECONDS)[0] else b""
    return b""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
