"""An AWS Lambda handler behind API Gateway (HTTP API, payload format 2.0)."""

import base64
import hashlib
import hmac
import json
import os
import sqlite3

SECRET = os.environ["TURRIS_WEBHOOK_SECRET"]
_database = None


def database():
    """Stays open while the execution environment is warm."""
    global _database
    if _database is None:
        _database = sqlite3.connect(os.environ["DATABASE_PATH"], check_same_thread=False)
        _database.execute(
            "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT, payload TEXT)"
        )
    return _database


def answer(status, message):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": message}),
    }


def lambda_handler(event, context):
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    given = event["headers"].get("x-turris-signature", "")
    wanted = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        return answer(401, "invalid signature")
    try:
        message = json.loads(raw)
        row = (
            hashlib.sha256(raw).hexdigest(),
            str(message["webhookType"]),
            json.dumps(message["payload"]),
        )
        entity = message["upstreamEntityId"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return answer(400, "malformed event")
    if entity != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
        return answer(400, "unknown entity")
    with database() as connection:
        connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", row)
    return answer(200, "ok")
