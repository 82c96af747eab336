"""Requests that are refused before any sandbox sees them: why, in the answer and in the log.

The words are ours, or the parsers' own: what a client sent may be a secret.
"""

import logging
import re
from typing import NamedTuple

from pytest_turris.core.text.printable import printable
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.core.wire.errors import error_document, error_type_of
from pytest_turris.core.wire.messages import JSON_HEADERS, NO_SNIFFING, Response, encode
from pytest_turris.doors.sockets.asgi import Scope

LOG = logging.getLogger("pytest_turris.server")
"""Gets a line for each refusal."""

_BAD_REQUEST = 400
LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_QUOTED = re.compile(r":? (?:bytearray|b['\"]).*", re.DOTALL)
"""The end of a message of h11: what the client sent."""


class UnreadBodyError(Exception):
    """Stops the parser at the head of a request whose body it would skip."""


class Refusal(NamedTuple):
    """The status and the message with which a request is refused."""

    status: int
    message: str

    def response(self) -> Response:
        """The answer, after which the connection ends."""
        headers = (*JSON_HEADERS, NO_SNIFFING, ("connection", "close"))
        body = encode(error_document(self.status, error_type_of(self.status), [self.message]))
        return Response(status=self.status, headers=headers, body=body)

    def line(self, request: str) -> str:
        """A line for the log."""
        return f"{request} -> {self.status}  {self.message}"


def not_http(reason: str) -> Refusal:
    """The refusal of a request that is not HTTP, for a reason without what the client sent."""
    return Refusal(_BAD_REQUEST, f"Request is not valid HTTP: {reason}")


def refusal_by_parser(error: BaseException | None) -> Refusal:
    """The refusal of a request that a parser cannot read."""
    cause = error and error.__context__
    if isinstance(cause, UnreadBodyError):
        return not_http("an upgrade is offered behind another request")
    if error is None or cause is not None:
        # httptools calls us back while it parses; only the target can fail there.
        return not_http("the target is not a URL")
    reason = _QUOTED.sub("", str(error))
    status = getattr(error, "error_status_hint", _BAD_REQUEST)  # h11 knows others
    return not_http(reason) if status == _BAD_REQUEST else Refusal(status, reason)


def refusal_of(scope: Scope) -> Refusal | None:
    """The refusal of a request that was parsed and that is ambiguous or not supported, or None."""
    names = [name for name, _ in scope["headers"]]
    # With both lengths, the end of a request is ambiguous: what follows may be smuggled
    # (RFC 9112, 6.3).
    if LENGTHS.issubset(names):
        return not_http("it has both Content-Length and Transfer-Encoding")
    hosts = names.count(b"host")
    if hosts > 1:
        return not_http(f"it has {hosts} Host headers")
    # Only HTTP/1.0 knows requests without (RFC 9112, 3.2); a guard decides about those.
    if not hosts and scope["http_version"] != "1.0":
        return not_http("it has no Host header")
    lines = [value for name, value in scope["headers"] if name == b"transfer-encoding"]
    codings = [coding.strip().lower() for coding in b",".join(lines).split(b",")]
    if lines and codings != [b"chunked"]:
        # A body that is not decoded would be taken for another one (RFC 9112, 6.1).
        return Refusal(501, "Only Transfer-Encoding: chunked is supported")
    return None


def asked_for(scope: Scope) -> str:
    """What a request asks for, as the log shows it."""
    return printable(f"{scope['method']} {redact_target(scope['path'])}")
