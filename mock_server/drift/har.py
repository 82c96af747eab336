"""Reads the exchanges with a tenant from a recording in the HTTP Archive format (HAR 1.2)."""

import base64
import binascii
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mock_server.drift.asking import DriftError
from mock_server.drift.seen import SeenExchange, SeenExchanges
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.process.reading.input_file import read_input
from pytest_turris.process.reading.user_documents import DocumentError, json_of_user


def read_har(file: Path) -> SeenExchanges:
    """Return the exchanges of a recording with Turris.

    A browser or a proxy records other hosts, too. Theirs are left out: the documented hosts are
    Turris', or, if there are none (a gateway), those that got a request of a documented operation.

    Args:
        file: The recording, for example what a browser or a proxy exports.

    Raises:
        DriftError: The file cannot be read, is not a recording, or has no exchange with Turris.
    """
    try:
        entries = json_of_user(read_input(file))["log"]["entries"]
        exchanges = [_exchange(entry) for entry in entries]
        hosts = {_host(one) for one in exchanges}
        documented = {_host(one) for one in exchanges if one.operation}
    except OSError as error:
        raise DriftError(f"{file}: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = error if isinstance(error, DocumentError) else "there is no log with entries"
        raise DriftError(f"{file} is not a HAR file: {why}") from None
    ours = hosts.intersection(HOSTS.values()) or documented
    if not ours:
        raise DriftError(f"{file} has no exchange with Turris")
    return SeenExchanges([one for one in exchanges if _host(one) in ours])


def _host(exchange: SeenExchange) -> str | None:
    return urlsplit(exchange.url).hostname


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
