"""Posts to a WSGI application in this process, without a server."""

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from pytest_turris.receivers.exchange import Post, WebhookAnswer, folded, raised

App = Callable[[dict[str, Any], Callable[..., Callable[[bytes], object]]], Iterable[bytes]]


def post(app: App, sent: Post) -> WebhookAnswer:
    """Post, read the whole answer and close it, as PEP 3333 asks of a server."""
    answer = _Answer()
    try:
        chunks = app(_environ(sent), answer.start)
        try:
            for chunk in chunks:
                answer.body += chunk
        finally:
            getattr(chunks, "close", lambda: None)()
    except Exception as error:  # noqa: BLE001 - whatever it is, a server answers 500
        return raised(error)
    if not answer.status:
        return raised(RuntimeError("the application ended without calling start_response"))
    return WebhookAnswer(
        status_code=int(answer.status.split()[0]),
        headers=folded(answer.headers),
        body=bytes(answer.body),
    )


class _Answer:
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
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": sent.peer,
        "HTTP_HOST": "testserver",
        "CONTENT_LENGTH": str(len(sent.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return environ | environ_headers(sent)


def environ_headers(sent: Post) -> dict[str, str]:
    """The header lines as WSGI names them, repeated ones joined by a comma as servers do."""
    named = {}
    for name, value in folded(sent.headers).items():
        key = name.upper().replace("-", "_")
        named[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return named
