"""A FastAPI receiver: the raw body is read with a limit, events are rows with a unique key."""

import hashlib
import hmac
import json
import os
import sqlite3
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request, status
from pydantic import BaseModel, ValidationError

MAX_BODY = 1024 * 1024
SECRET = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
ENTITY = os.environ["TURRIS_UPSTREAM_ENTITY_ID"]
DATABASE = os.environ["DATABASE_PATH"]

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


class Event(BaseModel):
    """The envelope that every event has."""

    webhookType: str
    upstreamEntityId: str
    payload: dict[str, Any] | list[dict[str, Any]]


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(DATABASE, timeout=10)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT, payload TEXT)"
    )
    return connection


async def read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE)
    return bytes(body)


def store(event_id: str, event: Event) -> None:
    connection = connect()
    try:
        with connection:
            connection.execute(
                "INSERT OR IGNORE INTO events VALUES (?, ?, ?)",
                (event_id, event.webhookType, json.dumps(event.payload)),
            )
    finally:
        connection.close()


@app.post("/webhooks/turris", status_code=status.HTTP_204_NO_CONTENT)
async def receive(
    request: Request, x_turris_signature: Annotated[str | None, Header()] = None
) -> None:
    body = await read_body(request)
    expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if x_turris_signature is None or not hmac.compare_digest(
        expected.encode(), x_turris_signature.encode()
    ):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Invalid signature")
    try:
        event = Event.model_validate_json(body)
    except ValidationError:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "Invalid event") from None
    if event.upstreamEntityId != ENTITY:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Not our entity")
    # Turris sends no event id and asks to compare the content.
    store(hashlib.sha256(body).hexdigest(), event)
