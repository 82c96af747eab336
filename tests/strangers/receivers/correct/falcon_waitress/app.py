"""A Falcon receiver under waitress: a hook verifies, a resource stores."""

import hashlib
import hmac
import json
import os
import sqlite3

import falcon

LIMIT = 300_000


def verify_signature(req, resp, resource, params) -> None:
    if (req.content_length or 0) > LIMIT:
        raise falcon.HTTPContentTooLarge
    body = req.bounded_stream.read(LIMIT + 1)
    if len(body) > LIMIT:
        raise falcon.HTTPContentTooLarge
    key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
    wanted = hmac.new(key, body, hashlib.sha256).hexdigest()
    given = req.get_header("X-Turris-Signature", default="")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise falcon.HTTPUnauthorized(title="Invalid signature")
    req.context.body = body


class Webhooks:
    def __init__(self, path: str) -> None:
        self.path = path
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body BLOB)")

    @falcon.before(verify_signature)
    def on_post(self, req, resp) -> None:
        try:
            event = json.loads(req.context.body)
            known = event["upstreamEntityId"] == os.environ["TURRIS_UPSTREAM_ENTITY_ID"]
            event["webhookType"], event["payload"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise falcon.HTTPBadRequest(title="Malformed event") from None
        if not known:
            raise falcon.HTTPForbidden(title="Unknown entity")
        database = sqlite3.connect(self.path, timeout=10)
        try:
            with database:
                database.execute(
                    "INSERT OR IGNORE INTO events VALUES (?, ?)",
                    (hashlib.sha256(req.context.body).hexdigest(), req.context.body),
                )
        finally:
            database.close()
        resp.status = falcon.HTTP_204


def create_app() -> falcon.App:
    app = falcon.App()
    app.add_route("/webhooks/turris", Webhooks(os.environ["DATABASE_PATH"]))
    return app


app = create_app()
