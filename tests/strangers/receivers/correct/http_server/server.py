"""The standard library's http.server, one thread per connection, with limits and a timeout."""

import hashlib
import hmac
import json
import os
import sqlite3
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIMIT = 1024 * 1024
PATH = os.environ["DATABASE_PATH"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_POST(self) -> None:
        if self.path != "/webhooks/turris":
            return self.answer(HTTPStatus.NOT_FOUND)
        if "Transfer-Encoding" in self.headers:
            return self.answer(HTTPStatus.LENGTH_REQUIRED)
        lengths = self.headers.get_all("Content-Length", [])
        if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            return self.answer(HTTPStatus.LENGTH_REQUIRED)
        length = int(lengths[0][:20])
        if length > LIMIT:
            return self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return None
        return self.answer(self.receive(body))

    def receive(self, body: bytes) -> HTTPStatus:
        key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
        wanted = hmac.new(key, body, hashlib.sha256).hexdigest()
        given = self.headers.get("X-Turris-Signature", "")
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogateescape")):
            return HTTPStatus.UNAUTHORIZED
        try:
            event = json.loads(body)
            kind, entity = event["webhookType"], event["upstreamEntityId"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return HTTPStatus.BAD_REQUEST
        if entity != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
            return HTTPStatus.FORBIDDEN
        database = sqlite3.connect(PATH, timeout=10)
        try:
            with database:
                database.execute(
                    "INSERT OR IGNORE INTO events VALUES (?, ?)",
                    (hashlib.sha256(body).hexdigest(), str(kind)),
                )
        finally:
            database.close()
        return HTTPStatus.NO_CONTENT

    def answer(self, status: HTTPStatus) -> None:
        if status != HTTPStatus.NO_CONTENT:
            self.close_connection = True
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    with sqlite3.connect(PATH) as setup:
        setup.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT)")
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
