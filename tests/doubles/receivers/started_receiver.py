"""A good receiver as a program: its key in the environment, its effects in a file.

``python started_receiver.py FILE`` listens on ``$PORT``. A file ``FILE.mode`` makes its work fail.
"""

import contextlib
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOCK = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Verifies, parses, and writes one line for each webhook that is new."""

    protocol_version = "HTTP/1.1"
    keys: tuple[bytes, ...] = ()
    effects: Path = Path()

    def do_GET(self) -> None:
        if self.path != "/hook":
            self.answer(404)
            return
        self.answer(200, b"[" + b",".join(b'"%s"' % line for line in self.lines()) + b"]")

    def do_POST(self) -> None:
        if leak := os.environ.get("LEAK"):
            with Path(leak).open("ab") as log:
                log.write(self.keys[0] + b"\n")
        length = int(self.headers.get("Content-Length") or 0)
        if length > 1024 * 1024:
            self.close_connection = True
            self.answer(413)
            return
        body = self.rfile.read(length)
        given = (self.headers.get("X-Turris-Signature") or "").encode("latin-1")
        rights = [hmac.new(key, body, hashlib.sha256).hexdigest().encode() for key in self.keys]
        if self.path != "/hook":
            self.answer(404)
        elif self.headers.get("X-Gateway", "open") != "open":
            self.answer(403)
        elif True not in [hmac.compare_digest(given, right) for right in rights]:
            self.answer(401)
        else:
            self.answer(self.act(body))

    def act(self, body: bytes) -> int:
        try:
            event = json.loads(body.decode())
            known = event["webhookType"] == "PRODUCER_AGREEMENT_EXECUTED"
            ours = event["upstreamEntityId"] == os.environ["TURRIS_UPSTREAM_ENTITY_ID"]
            acts = known and ours and bool(event["payload"]["downstreamEntityAssociationId"])
        except (ValueError, LookupError, TypeError, RecursionError):
            return 400
        digest = hashlib.sha256(body).hexdigest().encode()
        mode = self.mode()
        if mode == "slow":
            threading.Timer(3, self.write, [digest]).start()
            return 202
        with LOCK:
            if acts and digest not in self.lines():
                if mode == "before":
                    return 503
                self.write(digest)
                if mode == "after":
                    return 503
        return 204

    def mode(self) -> str:
        with contextlib.suppress(OSError):
            return Path(f"{self.effects}.mode").read_text(encoding="utf-8").strip()
        return ""

    def lines(self) -> list[bytes]:
        return self.effects.read_bytes().split() if self.effects.exists() else []

    def write(self, digest: bytes) -> None:
        with self.effects.open("ab") as file:
            file.write(digest + b"\n")

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: object) -> None:
        sys.stderr.write(f"{self.command} {self.path}\n")
        sys.stderr.flush()


def main() -> None:
    """Serve until the process is ended."""
    names = ("TURRIS_WEBHOOK_SECRET", "TURRIS_WEBHOOK_SECRET_BEFORE")
    texts = [os.environ.get(name, "").strip() for name in names]
    keys = [text.encode() for text in texts if text]
    if not texts[0] or min(map(len, keys)) < 24:
        sys.exit("a key is missing or too short")
    Handler.keys, Handler.effects = tuple(keys), Path(sys.argv[1])
    time.sleep(float(os.environ.get("DELAY", "0")))
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
