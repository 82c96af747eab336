"""Each answer has a request id and a time, in a header and in the problem document (RFC 9457)."""

import hashlib
import hmac
import json
import logging
import os
import sqlite3
from datetime import UTC, datetime
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

app = FastAPI()
log = logging.getLogger("inbox")


class Problem(Exception):
    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status, self.title = status, title


@app.middleware("http")
async def request_id(request: Request, call_next):
    request.state.request_id = str(uuid4())
    response = await call_next(request)
    response.headers["X-Request-Id"] = request.state.request_id
    return response


@app.exception_handler(Problem)
async def problem(request: Request, error: Problem) -> JSONResponse:
    log.warning("refused: %s (%s)", error.title, request.state.request_id)
    return JSONResponse(
        {
            "type": "about:blank",
            "title": error.title,
            "status": error.status,
            "instance": f"urn:uuid:{request.state.request_id}",
            "timestamp": datetime.now(UTC).isoformat(),
        },
        error.status,
        media_type="application/problem+json",
    )


async def read(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > 400_000:
            raise Problem(413, "Content Too Large")
        parts.append(part)
    return b"".join(parts)


def keep(event: dict, body: bytes) -> None:
    database = sqlite3.connect(os.environ["DATABASE_PATH"], timeout=10)
    with database:
        database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT)")
        database.execute(
            "INSERT OR IGNORE INTO events VALUES (?, ?)",
            (hashlib.sha256(body).hexdigest(), str(event["webhookType"])),
        )
    database.close()


@app.post("/webhooks/turris")
async def turris(request: Request) -> Response:
    body = await read(request)
    key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
    wanted = hmac.new(key, body, hashlib.sha256).hexdigest()
    given = request.headers.get("x-turris-signature", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise Problem(401, "Unauthorized")
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(400, "Not JSON") from None
    if not isinstance(event, dict) or not {"webhookType", "payload"} <= event.keys():
        raise Problem(422, "Not an event")
    if event.get("upstreamEntityId") != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
        raise Problem(403, "Unknown entity")
    keep(event, body)
    return Response(status_code=204)
