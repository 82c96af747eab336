"""Posts over a socket, to the address that the egress check gave and no other.

No redirects, no proxies, no cookies, and no more of the answer than a test can want.
"""

import contextlib
import http.client
import socket
import ssl

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.egress import Destination
from pytest_turris.receivers.exchange import Post, WebhookAnswer
from pytest_turris.receivers.response_reader import read_answer

TIMEOUT = 30.0
"""Seconds that Turris waits for an answer (documented: guides/webhooks)."""


def post(destination: Destination, sent: Post, *, timeout: float | None = None) -> WebhookAnswer:
    """Post to ``destination.path``, and wait for the whole answer as long as Turris does.

    Args:
        destination: Where to.
        sent: What.
        timeout: Seconds to wait, if not as Turris.

    Raises:
        OSError: No whole answer came in time: ConnectionError, TimeoutError, or of TLS.
    """
    timeout = TIMEOUT if timeout is None else timeout
    until = steady_time() + timeout
    try:
        with contextlib.closing(_connected(destination, timeout)) as connection:
            _send(connection, destination.path, sent)
            return read_answer(connection.sock, method=sent.method, until=until)
    except TimeoutError as error:
        raise TimeoutError(f"no answer in {timeout:g} s") from error
    except http.client.HTTPException as error:
        where = f"{destination.host}:{destination.port}"
        raise ConnectionError(f"{where} did not answer in HTTP: {error!r}") from error


def _connected(destination: Destination, timeout: float) -> http.client.HTTPConnection:
    host, port = destination.host, destination.port
    plain = socket.create_connection((destination.address, port), timeout=timeout)
    if destination.scheme == "http":
        connection = http.client.HTTPConnection(host, port)
        connection.sock = plain
        return connection
    context = ssl.create_default_context()
    secure = http.client.HTTPSConnection(host, port, context=context)
    try:
        secure.sock = context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise
    return secure


def _send(connection: http.client.HTTPConnection, path: str, sent: Post) -> None:
    connection.putrequest(sent.method, path, skip_accept_encoding=True)
    for name, value in sent.headers:
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(sent.body)))
    connection.putheader("Connection", "close")
    # A receiver may refuse a large body before it has read all of it: its answer still counts.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.endheaders(sent.body)
