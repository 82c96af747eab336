"""Finds out what answers at a URL that gives no HTTP/1.1 response."""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from functools import partial

from pytest_turris.attacks.description import redacted
from pytest_turris.attacks.sending.response import ReceiverResponse
from pytest_turris.process.tls_mistakes import (
    Connect,
    first_bytes,
    speaks_tls,
    use_https,
    why_tls_fails,
)
from pytest_turris.receivers.egress import Destination, connect

_SECONDS = 2.0
_SHOWN = 60
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
"""What a client of HTTP/2 sends first, and empty settings (RFC 9113, 3.4)."""

_SETTINGS = b"\4"
_TLS_RECORDS = ("\x15\x03", "\x16\x03")
"""How an alert or a handshake begins (RFC 8446, 5.1)."""


def why_no_answer(where: Destination, response: ReceiverResponse, key: str) -> str:
    """Return the cause in one sentence; connects to the port again to find out.

    Args:
        where: Where the webhook was sent to.
        response: What came back: no answer.
        key: The signing key, which is masked in what the other side says.
    """
    at = f"{where.host}:{where.port}"
    again = partial(connect, where, _SECONDS)
    for error in _chain(response.error):
        if isinstance(error, ConnectionRefusedError):
            return _why_closed(where, at)
        if isinstance(error, ssl.SSLError):
            return why_tls_fails(error, at, again)
        if isinstance(error, TimeoutError):
            return (
                f"{at} takes the connection, but does not answer ({error}): does it wait for a "
                "body that a middleware has read before, or for a service that is not there?"
            )
        if isinstance(error, http.client.BadStatusLine):
            said = str(error).strip("'")
            if said and not isinstance(error, http.client.RemoteDisconnected):
                # Masked before it is cut: the first half of a key would not be known as one.
                return _why_no_http(at, redacted(said, key))
    return _why_hung_up(where, at, response.reason, again)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__


def _why_closed(where: Destination, at: str) -> str:
    other = "127.0.0.1" if ":" in where.address else "::1"
    with contextlib.suppress(OSError):
        socket.create_connection((other, where.port), timeout=_SECONDS).close()
        url = f"[{other}]:{where.port}" if ":" in other else f"{other}:{where.port}"
        return f"nothing listens on {where.address}, but something does on {url}: use that URL"
    return f"nothing listens at {at}: start the receiver, or correct the URL"


def _why_no_http(at: str, said: str) -> str:
    if said.startswith(_TLS_RECORDS):
        return use_https(at)
    if said.startswith("\0\0"):
        return _is_http2(at)
    return f"{at} answers, but not in HTTP: it says {said.strip()[:_SHOWN]!r}"


def _why_hung_up(where: Destination, at: str, reason: str, again: Connect) -> str:
    if where.scheme == "http" and speaks_tls(where.host, again):
        return use_https(at)
    if where.scheme == "http" and first_bytes(again, _PREFACE)[3:4] == _SETTINGS:
        return _is_http2(at)
    return f"{at} closes the connection without an answer ({reason})"


def _is_http2(at: str) -> str:
    return f"{at} speaks HTTP/2 only: webhooks are sent in HTTP/1.1, so it has to take that, too"
