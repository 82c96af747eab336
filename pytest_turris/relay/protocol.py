"""Requests and answers as JSON: how a shared server and the test process hand them on.

Bytes are text in latin-1, which has a character for each.
"""

import hashlib
from typing import Any

from pytest_turris.core.faults.hostile.raw import Part
from pytest_turris.core.wire.messages import Fields, Request, Response

PROTOCOL = 1
"""The version of all that is said between the two."""

RELAYS = "/__sandbox__/control/relays"
"""Where the server is asked to hand on requests; no path of Turris begins so."""

Parcel = dict[str, Any]


def fingerprint(credential: str) -> str:
    """Identifies a credential to a process that knows it: the server keeps no secrets."""
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()


def packed_request(request: Request) -> Parcel:
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


def unpacked_request(parcel: Parcel) -> Request:
    """The request as the server got it."""
    headers, body = _fields(parcel["headers"]), parcel["body"].encode("latin-1")
    return Request(**parcel | {"headers": headers, "body": body})


def packed_answer(response: Response) -> Parcel:
    """An answer for the server to send."""
    body = response.body.decode("latin-1")
    return {"status": response.status, "headers": response.headers, "body": body}


def unpacked_answer(parcel: Parcel) -> Response:
    """The answer as the sandbox gave it."""
    headers, body = _fields(parcel["headers"]), parcel["body"].encode("latin-1")
    return Response(status=parcel["status"], headers=headers, body=body)


def packed_part(part: Part | None) -> Parcel:
    """A part of a raw answer; None is its end."""
    return {"part": part.decode("latin-1") if isinstance(part, bytes) else part}


def unpacked_part(parcel: Parcel) -> Part | None:
    """The part, or None at the end."""
    part: str | float | None = parcel["part"]
    return part.encode("latin-1") if isinstance(part, str) else part


def _fields(pairs: list[list[str]]) -> Fields:
    return tuple((name, value) for name, value in pairs)
