"""Posts to a WSGI application in this process, without a server."""

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from pytest_turris.receivers.exchange import Post, WebhookResponse, fold_headers, response_to_error

WsgiApp = Callable[[dict[str, Any], Callable[..., Callable[[bytes], object]]], Iterable[bytes]]


def post_wsgi(app: WsgiApp, sent: Post) -> WebhookResponse:
    """Post, read the whole response and close it, as PEP 3333 requires of a server."""
    response = _Response()
    try:
        chunks = app(_environ(sent), response.start)
        try:
            for chunk in chunks:
                response.body += chunk
        finally:
            getattr(chunks, "close", lambda: None)()
    except Exception as error:  # noqa: BLE001 - a server answers any exception with 500
        return response_to_error(error)
    if not response.status:
        return response_to_error(RuntimeError("the application did not call start_response"))
    return WebhookResponse(
        status_code=int(response.status.split()[0]),
        headers=fold_headers(response.headers),
        body=bytes(response.body),
    )


class _Response:
    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()

    def start(
        self, status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return self.body.extend


def _environ(sent: Post) -> dict[str, Any]:
    path, _, query = sent.app_path.partition("?")
    name, port = sent.server
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": name,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": sent.peer,
        "HTTP_HOST": sent.app_host,
        "CONTENT_LENGTH": str(len(sent.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": sent.app_scheme,
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return environ | environ_headers(sent)


def environ_headers(sent: Post) -> dict[str, str]:
    """Return the headers under their WSGI names; repeated lines are joined, as servers do."""
    named = {}
    for name, value in fold_headers(sent.headers).items():
        key = name.upper().replace("-", "_")
        named[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return named
