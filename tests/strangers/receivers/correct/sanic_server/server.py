"""A Sanic receiver; REQUEST_MAX_SIZE and REQUEST_TIMEOUT are the framework's limits."""

import hashlib
import hmac
import json
import os
import sqlite3

from sanic import Sanic, empty
from sanic.exceptions import BadRequest, Unauthorized

app = Sanic("turris_inbox")
app.config.REQUEST_MAX_SIZE = 1_000_000
app.config.REQUEST_TIMEOUT = 30
app.config.FALLBACK_ERROR_FORMAT = "json"


@app.before_server_start
async def open_database(app):
    app.ctx.database = sqlite3.connect(os.environ["DATABASE_PATH"])
    app.ctx.database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT)")


@app.after_server_stop
async def close_database(app):
    app.ctx.database.close()


@app.post("/webhooks/turris")
async def turris(request):
    key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
    wanted = hmac.new(key, request.body, hashlib.sha256).hexdigest()
    given = request.headers.get("x-turris-signature", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise Unauthorized("Invalid signature")
    try:
        event = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadRequest("Malformed JSON") from None
    if (
        not isinstance(event, dict)
        or event.get("upstreamEntityId") != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]
        or not isinstance(event.get("webhookType"), str)
    ):
        raise BadRequest("Unexpected event")
    digest = hashlib.sha256(request.body).hexdigest()
    with request.app.ctx.database as database:
        database.execute(
            "INSERT INTO events VALUES (?, ?) ON CONFLICT DO NOTHING",
            (digest, event["webhookType"]),
        )
    return empty()


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]), single_process=True, access_log=False, motd=False)
