"""Stores the event, answers 202, and lets a worker do the work: FastAPI, a thread, SQLite."""

import hashlib
import hmac
import json
import logging
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request

DATABASE = os.environ["DATABASE_PATH"]
LIMIT = 1 << 20
log = logging.getLogger("inbox")
wake = threading.Event()
stop = threading.Event()

SCHEMA = """
CREATE TABLE IF NOT EXISTS queue (
    id TEXT PRIMARY KEY, body BLOB NOT NULL, attempts INTEGER DEFAULT 0, done INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS work (queue_id TEXT PRIMARY KEY, type TEXT NOT NULL);
"""


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(DATABASE, timeout=10)
    connection.execute("PRAGMA busy_timeout = 10000")
    return connection


def process(connection: sqlite3.Connection, event_id: str, body: bytes) -> None:
    with connection:
        connection.execute("UPDATE queue SET attempts = attempts + 1 WHERE id = ?", (event_id,))
    event = json.loads(body)
    with connection:
        connection.execute(
            "INSERT OR IGNORE INTO work VALUES (?, ?)", (event_id, event["webhookType"])
        )
        connection.execute("UPDATE queue SET done = 1 WHERE id = ?", (event_id,))


def work() -> None:
    connection = connect()
    while not stop.is_set():
        row = connection.execute(
            "SELECT id, body FROM queue WHERE done = 0 AND attempts < 100 ORDER BY rowid LIMIT 1"
        ).fetchone()
        if row is None:
            wake.wait(timeout=1)
            wake.clear()
            continue
        try:
            process(connection, *row)
        except Exception:
            log.exception("an event could not be processed, and is tried again")
            wake.wait(timeout=1)
    connection.close()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    connection = connect()
    connection.executescript(SCHEMA)
    connection.close()
    worker = threading.Thread(target=work)
    worker.start()
    yield
    stop.set()
    wake.set()
    worker.join()


app = FastAPI(lifespan=lifespan)


def enqueue(event_id: str, body: bytes) -> None:
    connection = connect()
    try:
        with connection:
            connection.execute(
                "INSERT OR IGNORE INTO queue (id, body) VALUES (?, ?)", (event_id, body)
            )
    finally:
        connection.close()


@app.post("/webhooks/turris", status_code=202)
async def turris(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            raise HTTPException(413)
    given = request.headers.get("x-turris-signature", "")
    wanted = hmac.new(os.environ["TURRIS_WEBHOOK_SECRET"].encode(), body, "sha256").hexdigest()
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise HTTPException(401, "invalid signature")
    try:
        event = json.loads(body)
        ours = event["upstreamEntityId"] == os.environ["TURRIS_UPSTREAM_ENTITY_ID"]
        if not isinstance(event["webhookType"], str):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HTTPException(400, "malformed event") from None
    if not ours:
        raise HTTPException(403, "unknown entity")
    event_id = hashlib.sha256(body).hexdigest()
    enqueue(event_id, body)
    wake.set()
    return {"id": event_id}
