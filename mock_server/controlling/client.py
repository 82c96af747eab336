"""Sends a control to a running sandbox, and ends the command with a reason if it is refused."""

import http.client
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from mock_server.controlling.rows import ControlRow
from mock_server.exit_status import FAILED, INTERNAL_ERROR, NOTHING_SENT
from mock_server.shell.mistakes import fail
from pytest_turris.core.text.printable import printable
from pytest_turris.core.wire.base_url import split_base_url
from pytest_turris.process.control_token import without_control_token
from pytest_turris.process.tls_mistakes import tls_mistake

_TIMEOUT = 60.0
_PREFIX = "/__sandbox__"
_LIST = re.compile(r"\bGET /([a-z]+)")
_SUCCESS = range(200, 300)
_UNAUTHORIZED = 401
_NOT_TRIED = (400, _UNAUTHORIZED, 413, 415, 422)
"""The token, or the arguments, are wrong."""

_NO_STORE = 503
_OWN_FAULT = 500


@dataclass(frozen=True, kw_only=True)
class SandboxAddress:
    """Where the controls go.

    Args:
        url: The base URL of the server.
        token: Its control token.
        tenant: The name of the sandbox; empty for the server's own.
    """

    url: str
    token: str = field(repr=False)
    tenant: str = ""


def call(address: SandboxAddress, row: ControlRow, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return the answer to a control; None if it has no content.

    Args:
        address: The sandbox.
        row: The control.
        values: Its parameters, by their names in JSON.
    """
    connection, answer = _sent(address, row, values, _TIMEOUT)
    try:
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        said = without_control_token(repr(error), address.token)
        fail(f"{address.url}: the answer broke off: {said}")
    finally:
        connection.close()
    return _document(body) if body else None


def follow_stream(
    address: SandboxAddress, row: ControlRow, values: Mapping[str, Any]
) -> Iterator[Any]:
    """Yield each line of a control that goes on until the server stops.

    Args:
        address: The sandbox.
        row: The control.
        values: Its parameters, by their names in JSON.
    """
    connection, answer = _sent(address, row, values, None)
    try:
        for line in answer:
            if line.strip():  # an empty line keeps the stream alive
                yield _document(line)
    except (OSError, http.client.HTTPException):
        return  # the server stopped
    finally:
        connection.close()


def _sent(
    address: SandboxAddress, row: ControlRow, values: Mapping[str, Any], timeout: float | None
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    path, body = _request(address, row, dict(values))
    connection = _connection(address.url, timeout)
    headers = {"Authorization": f"Bearer {address.token}", "Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(row["method"], path, body=body, headers=headers)
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        fail(without_control_token(_why_no_answer(error, address.url), address.token))
    if answer.status not in _SUCCESS:
        words = without_control_token(_words(answer), address.token)
        connection.close()
        fail(*_refusal(answer.status, words, address.url))
    return connection, answer


def _why_no_answer(error: Exception, url: str) -> str:
    if why := tls_mistake(error, url):
        return why
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, ConnectionError):
        return (
            f"{url} is not a turris-sandbox: what answers is not HTTP, but {printable(str(error))}"
        )
    return (
        f"nothing answers at {url}: {error}. Start a sandbox with 'turris-sandbox serve', or name "
        "one with --url or TURRIS_BASE_URL"
    )


def _request(
    address: SandboxAddress, row: ControlRow, values: dict[str, Any]
) -> tuple[str, bytes | None]:
    """The path with its query, and the body."""
    path = row["path"]
    for parameter in row["parameters"]:
        if parameter["where"] == "path":
            text = quote(str(values.pop(parameter["name"])), safe="")
            path = path.replace("{" + parameter["name"] + "}", text)
    tenant = f"/tenants/{quote(address.tenant, safe='')}" if address.tenant else ""
    whole = f"{_PREFIX}{tenant if row['scope'] == 'sandbox' else ''}{path}"
    if row["method"] in ("GET", "DELETE"):
        query = urlencode({name: _plain(value) for name, value in values.items()}, doseq=True)
        return f"{whole}?{query}" if query else whole, None
    return whole, json.dumps(values).encode()


def _refusal(status: int, words: str, url: str) -> tuple[str, int]:
    """A refusal in one line, and the exit status."""
    if not words:
        words = f"{url} answered with {status}, so it is not a turris-sandbox of this version"
    elif status == _UNAUTHORIZED:
        words += (
            ". 'turris-sandbox serve' prints the control token: set TURRIS_CONTROL_TOKEN, or use "
            "--token"
        )
    elif status >= _OWN_FAULT and status != _NO_STORE:
        words = f"the sandbox has a bug, please report it: {words}"
    if status >= _OWN_FAULT:
        return words, INTERNAL_ERROR
    return words, NOTHING_SENT if status in _NOT_TRIED else FAILED


def _words(answer: http.client.HTTPResponse) -> str:
    """What a sandbox says in a refusal; empty if something else answered."""
    try:
        words = "; ".join(json.loads(answer.read())["errorMessage"])
        return printable(_LIST.sub(r"'turris-sandbox \1'", words))
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return ""


def _document(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(body)
    except ValueError:
        fail("the answer is not JSON: the server is not a turris-sandbox of this version")


def _plain(value: object) -> object:
    """A value as it is written in a query."""
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


def _connection(url: str, timeout: float | None) -> http.client.HTTPConnection:
    address = split_base_url(url)
    if address is None:
        fail(f"--url {url!r} is not a URL such as http://127.0.0.1:8791")
    host, port = address.hostname or "", address.port
    if address.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout)
    # It trusts what SSL_CERT_FILE names, which `serve --tls` prints.
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
