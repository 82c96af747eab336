"""A Bottle receiver under waitress."""

import hashlib
import hmac
import json
import os
import sqlite3

from bottle import Bottle, HTTPError, request, response
from waitress import serve

app = Bottle()
MAX_BYTES = 200_000


@app.post("/webhooks/turris")
def turris():
    if request.content_length > MAX_BYTES:
        raise HTTPError(413, "Too large")
    body = request.body.read()
    wanted = hmac.new(
        os.environ["TURRIS_WEBHOOK_SECRET"].encode(), body, hashlib.sha256
    ).hexdigest()
    given = request.get_header("X-Turris-Signature", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise HTTPError(401, "Invalid signature")
    try:
        event = json.loads(body)
        entity, kind = event["upstreamEntityId"], event["webhookType"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HTTPError(400, "Malformed event") from None
    if entity != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
        raise HTTPError(400, "Unknown entity")
    database = sqlite3.connect(os.environ["DATABASE_PATH"], timeout=10)
    with database:
        database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT)")
        database.execute(
            "INSERT OR IGNORE INTO events VALUES (?, ?)",
            (hashlib.sha256(body).hexdigest(), str(kind)),
        )
    database.close()
    response.content_type = "application/json"
    return {"received": True}


if __name__ == "__main__":
    serve(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        max_request_body_size=MAX_BYTES,
        channel_timeout=30,
    )
