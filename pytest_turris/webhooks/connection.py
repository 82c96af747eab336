"""Posts over a socket, to the address that the egress check gave and no other.

No redirects, no proxies, no cookies, and no more of the answer than a test can want.
"""

import contextlib
import http.client
import socket
import ssl

from pytest_turris.webhooks.egress import Destination
from pytest_turris.webhooks.exchange import Post, WebhookAnswer, folded

TIMEOUT = 30.0
"""Seconds that Turris waits for an answer (documented: guides/webhooks)."""

ANSWER_LIMIT = 1024 * 1024
"""Bytes of an answer's body that are read."""


def post(destination: Destination, sent: Post) -> WebhookAnswer:
    """Post to ``destination.path``.

    Raises:
        OSError: No answer came: ConnectionError, TimeoutError, or of TLS.
    """
    try:
        with contextlib.closing(_connected(destination)) as connection:
            _send(connection, destination.path, sent)
            response = connection.getresponse()
            return WebhookAnswer(
                status_code=response.status,
                headers=folded(response.getheaders()),
                body=response.read(ANSWER_LIMIT),
            )
    except http.client.HTTPException as error:
        where = f"{destination.host}:{destination.port}"
        raise ConnectionError(f"{where} did not answer in HTTP: {error!r}") from error


def _connected(destination: Destination) -> http.client.HTTPConnection:
    host, port = destination.host, destination.port
    plain = socket.create_connection((destination.address, port), timeout=TIMEOUT)
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
    with contextlib.suppress(BrokenPipeError):
        connection.endheaders(sent.body)
