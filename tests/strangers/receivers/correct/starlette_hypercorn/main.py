"""A Starlette receiver under Hypercorn, with a lifespan that opens the database."""

import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

LIMIT = 512 * 1024


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    database = sqlite3.connect(
        os.environ["DATABASE_PATH"], check_same_thread=False, isolation_level=None
    )
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS inbox ("
        " digest TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL)"
    )
    app.state.database = database
    yield
    database.close()


def is_signed(body: bytes, signature: str) -> bool:
    secret = os.environ["TURRIS_WEBHOOK_SECRET"]
    digest = hmac.new(secret.encode("utf-8"), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest.encode("ascii"), signature.encode("utf-8"))


def digest_of(event: dict) -> str:
    """The same content in another order is the same event."""
    text = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


async def turris(request: Request) -> Response:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LIMIT:
            return JSONResponse({"error": "too large"}, status_code=413)
        chunks.append(chunk)
    body = b"".join(chunks)
    if not is_signed(body, request.headers.get("X-Turris-Signature", "")):
        return JSONResponse({"error": "bad signature"}, status_code=401)
    try:
        event = json.loads(body)
        kind = event["webhookType"]
        entity = event["upstreamEntityId"]
        event["payload"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return JSONResponse({"error": "malformed event"}, status_code=400)
    if not isinstance(kind, str) or entity != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
        return JSONResponse({"error": "not for us"}, status_code=422)
    row = (digest_of(event), kind, json.dumps(event))
    await run_in_threadpool(
        request.app.state.database.execute, "INSERT OR IGNORE INTO inbox VALUES (?, ?, ?)", row
    )
    return Response(status_code=200)


app = Starlette(routes=[Route("/webhooks/turris", turris, methods=["POST"])], lifespan=lifespan)
