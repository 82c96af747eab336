"""A Litestar receiver under Granian: a dependency verifies, request_max_body_size limits."""

import hashlib
import hmac
import json
import os
import sqlite3
from typing import Any

from litestar import Litestar, Request, post
from litestar.exceptions import NotAuthorizedException, ValidationException
from litestar.status_codes import HTTP_202_ACCEPTED

KEY = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
DATABASE = os.environ["DATABASE_PATH"]


async def verified_body(request: Request[Any, Any, Any]) -> bytes:
    body = await request.body()
    wanted = hmac.new(KEY, body, hashlib.sha256).hexdigest()
    given = request.headers.get("x-turris-signature", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise NotAuthorizedException("Invalid signature")
    return body


def save(digest: str, kind: str) -> None:
    database = sqlite3.connect(DATABASE, timeout=10)
    with database:
        database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT)")
        database.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (digest, kind))
    database.close()


@post("/webhooks/turris", status_code=HTTP_202_ACCEPTED)
async def turris(request: Request[Any, Any, Any]) -> None:
    body = await verified_body(request)
    try:
        event = json.loads(body)
        kind, entity = event["webhookType"], event["upstreamEntityId"]
        event["payload"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValidationException("Malformed event") from None
    if entity != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
        raise ValidationException("Unknown entity")
    save(hashlib.sha256(body).hexdigest(), str(kind))


app = Litestar([turris], request_max_body_size=1_000_000, openapi_config=None)
