"""Requests and answers as JSON: what a shared server and the test process send each other.

Bytes are text in latin-1, which has a character for each.
"""

import hashlib
from typing import Any

from pytest_turris.core.faults.hostile.raw import RawPart
from pytest_turris.core.wire.messages import Fields, Request, Response

PROTOCOL = 1
"""The version of the messages between the two."""

RELAYS = "/__sandbox__/control/relays"
"""Where a test process connects to the server; no path of Turris begins like this."""

RelayMessage = dict[str, Any]


def fingerprint(credential: str) -> str:
    """Identifies a credential to a process that knows it: the server keeps no secrets."""
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()


def encode_request(request: Request) -> RelayMessage:
    """A request for the process whose sandbox it belongs to."""
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "body": request.body.decode("latin-1"),
        "scheme": request.scheme,
        "host": request.host,
        "client_ip": request.client_ip,
        "client_port": request.client_port,
    }


def decode_request(message: RelayMessage) -> Request:
    """The request as the server received it."""
    headers, body = _fields(message["headers"]), message["body"].encode("latin-1")
    return Request(**message | {"headers": headers, "body": body})


def encode_answer(response: Response) -> RelayMessage:
    """An answer for the server to send."""
    body = response.body.decode("latin-1")
    plain = {"status": response.status, "headers": response.headers, "body": body}
    return plain | ({"real_delay": response.real_delay} if response.real_delay else {})


def decode_answer(message: RelayMessage) -> Response:
    """The answer as the sandbox gave it."""
    headers, body = _fields(message["headers"]), message["body"].encode("latin-1")
    return Response(
        status=message["status"],
        headers=headers,
        body=body,
        real_delay=message.get("real_delay", 0.0),
    )


def encode_part(part: RawPart | None) -> RelayMessage:
    """A part of a raw answer; None is its end."""
    return {"part": part.decode("latin-1") if isinstance(part, bytes) else part}


def decode_part(message: RelayMessage) -> RawPart | None:
    """The part, or None at the end."""
    part: str | float | None = message["part"]
    return part.encode("latin-1") if isinstance(part, str) else part


def _fields(pairs: list[list[str]]) -> Fields:
    return tuple((name, value) for name, value in pairs)
