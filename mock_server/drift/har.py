"""Reads what was seen of a tenant from a recording in the HTTP Archive format (HAR 1.2)."""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from mock_server.drift.asking import DriftError
from mock_server.drift.seen import SeenExchange, SeenExchanges


def read_har(file: Path) -> SeenExchanges:
    """Return the exchanges of a recording.

    Args:
        file: The recording, for example what a browser or a proxy exports.

    Raises:
        DriftError: The file cannot be read, or is not a recording.
    """
    try:
        entries = json.loads(file.read_bytes())["log"]["entries"]
        return SeenExchanges([_exchange(entry) for entry in entries])
    except OSError as error:
        raise DriftError(f"{file}: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DriftError(f"{file} is not a HAR file: there is no log with entries") from None


def _exchange(entry: dict[str, Any]) -> SeenExchange:
    request, response = entry["request"], entry["response"]
    return SeenExchange(
        method=request["method"].upper(),
        url=request["url"],
        status=int(response["status"]),
        headers={line["name"].lower(): line["value"] for line in response.get("headers", ())},
        body=_body(response.get("content") or {}),
    )


def _body(content: dict[str, Any]) -> bytes:
    text = content.get("text") or ""
    if content.get("encoding") != "base64":
        return str(text).encode()
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""
