"""A sandbox server in a separate process, and webhook receivers on loopback."""

import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

COMMAND = [sys.executable, "-m", "mock_server"]


class RefusedError(Exception):
    """The sandbox answered with an error status."""


class Running:
    """A running sandbox server and the variables that it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.variables: dict[str, str] = {}
        for line in process.stdout:
            if found := re.match(r"export (\w+)=(\S+)", line):
                self.variables[found[1]] = found[2]
            if line.startswith("# curl"):
                break

    def token(self) -> str:
        """Get a token with the printed credentials."""
        body = {
            "clientId": self.variables["TURRIS_CLIENT_ID"],
            "clientSecret": self.variables["TURRIS_CLIENT_SECRET"],
        }
        answer = self.call("/v1/auth/jwt", data=json.dumps(body).encode())
        return str(answer["data"]["accessToken"])

    def call(self, path: str, *, data: bytes | None = None, **headers: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Send a request and return the JSON of the response; trust the printed authority."""
        request = urllib.request.Request(
            self.variables["TURRIS_BASE_URL"] + path,
            data=data,
            headers={"Content-Type": "application/json"} | headers,
        )
        authority = self.variables.get("SSL_CERT_FILE")
        context = ssl.create_default_context(cafile=authority) if authority else None
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            error.close()
            raise RefusedError(error.code) from None


@contextlib.contextmanager
def serving(*arguments: str, log: int = subprocess.PIPE) -> Iterator[Running]:
    """Serve a sandbox in a process, and stop it with Ctrl-C. A pipe holds 64 KiB of its log."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            yield Running(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(15)


class Receiver(BaseHTTPRequestHandler):
    """Records deliveries, and answers with ``status`` after ``work``."""

    received: list[tuple[bytes, str]]
    status = 204
    answer = b""

    def do_POST(self) -> None:
        """Take a webhook."""
        length = int(self.headers["Content-Length"])
        self.received.append((self.rfile.read(length), self.headers["X-Turris-Signature"]))
        self.work()
        self.send_response(self.status)
        if self.answer:
            self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    @staticmethod
    def work() -> None:
        """Do nothing."""

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextlib.contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[tuple[str, type[Receiver]]]:
    """Start a receiver on loopback, with TLS if a context is passed; yield its URL and handler."""
    handler = type("Receiver", (Receiver,), {"received": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/webhooks", handler
        server.shutdown()
        thread.join(5)
