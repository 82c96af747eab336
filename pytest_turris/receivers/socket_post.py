"""Posts over a socket, to the address that the egress check returned.

It follows no redirects, uses no proxies and no cookies, and limits the response's size.
"""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Callable
from typing import TypeAlias

from pytest_turris.core.wire.hosts import LOOPBACK
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.egress import Destination, connect
from pytest_turris.receivers.exchange import Post, WebhookResponse
from pytest_turris.receivers.response_reader import read_response

WriteLast: TypeAlias = Callable[[socket.socket, bytes], object]

TURRIS_TIMEOUT = 30.0
"""Seconds that Turris waits for a response (documented: guides/webhooks)."""


def post_over_socket(
    destination: Destination,
    sent: Post,
    *,
    timeout: float | None = None,
    write_last: WriteLast | None = None,
) -> WebhookResponse:
    """Post to ``destination.path``, and wait for the complete response.

    Args:
        destination: The checked URL.
        sent: The request; its own path is not used.
        timeout: Seconds to wait; as long as Turris does if not given.
        write_last: Writes the last byte of the body, when all before it is written; unless given,
            it is written with the others.

    Raises:
        OSError: There was no complete response in time: ConnectionError, TimeoutError, or an
            error of TLS.
    """
    timeout = TURRIS_TIMEOUT if timeout is None else timeout
    deadline = steady_time() + timeout
    try:
        with contextlib.closing(_connect(destination, timeout, sent.peer)) as connection:
            _send(connection, destination.path, sent, write_last)
            return read_response(connection.sock, method=sent.method, deadline=deadline)
    except TimeoutError as error:
        raise TimeoutError(f"no answer in {timeout:g} s") from error
    except http.client.HTTPException as error:
        where = f"{destination.host}:{destination.port}"
        raise ConnectionError(f"{where} did not answer in HTTP: {error!r}") from error


def _connect(
    destination: Destination, timeout: float, peer: str = LOOPBACK
) -> http.client.HTTPConnection:
    host, port = destination.host, destination.port
    # Any other address is what an application in this process is to see.
    own = peer.startswith("127.") and peer != LOOPBACK
    plain = connect(destination, timeout, peer if own else "")
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


def _send(
    connection: http.client.HTTPConnection,
    path: str,
    sent: Post,
    write_last: WriteLast | None,
) -> None:
    own_host = bool(sent.host)
    connection.putrequest(sent.method, path, skip_accept_encoding=True, skip_host=own_host)
    if own_host:
        connection.putheader("Host", sent.host)
    for name, value in sent.headers:
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(sent.body)))
    connection.putheader("Connection", "close")
    # A receiver may refuse a large body before it has read all of it: its response still counts.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if write_last is None:
            connection.endheaders(sent.body)
        else:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.endheaders(sent.body[:-1])
            write_last(connection.sock, sent.body[-1:])
