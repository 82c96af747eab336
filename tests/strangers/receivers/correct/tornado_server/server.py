"""A Tornado receiver; max_body_size bounds what the server buffers."""

import asyncio
import hashlib
import hmac
import json
import os
import sqlite3

import tornado.web
from tornado.httpserver import HTTPServer


class TurrisHandler(tornado.web.RequestHandler):
    def initialize(self, database: sqlite3.Connection) -> None:
        self.database = database

    def prepare(self) -> None:
        key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
        wanted = hmac.new(key, self.request.body, hashlib.sha256).hexdigest()
        given = self.request.headers.get("X-Turris-Signature", "")
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            raise tornado.web.HTTPError(401)

    def post(self) -> None:
        try:
            event = json.loads(self.request.body)
            kind, entity = event["webhookType"], event["upstreamEntityId"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise tornado.web.HTTPError(400) from None
        if entity != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
            raise tornado.web.HTTPError(400)
        digest = hashlib.sha256(self.request.body).hexdigest()
        with self.database:
            self.database.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (digest, str(kind)))
        self.set_status(204)


async def main() -> None:
    database = sqlite3.connect(os.environ["DATABASE_PATH"])
    database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT)")
    app = tornado.web.Application([("/webhooks/turris", TurrisHandler, {"database": database})])
    server = HTTPServer(app, max_body_size=1024 * 1024, idle_connection_timeout=30)
    server.listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
