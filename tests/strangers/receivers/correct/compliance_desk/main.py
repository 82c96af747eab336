"""A desk for compliance staff: one handler for each event, a page, an audit log, API calls."""

import hashlib
import hmac
import html
import json
import logging
import os
import re
import sqlite3
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

LIMIT = 1024 * 1024
DATA = Path(os.environ["DATA_DIR"])
DATABASE = os.environ["DATABASE_PATH"]
OBJECT_ID = re.compile(r"[0-9a-f]{24}")

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
log = logging.getLogger("desk")
log.setLevel(logging.INFO)
file_handler = logging.FileHandler(DATA / "desk.log", encoding="utf-8")
file_handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
log.addHandler(file_handler)

SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (digest TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS statuses (kind TEXT, association TEXT, name TEXT, payload TEXT);
CREATE TABLE IF NOT EXISTS synchronized (npn TEXT, status TEXT, subscription TEXT);
CREATE TABLE IF NOT EXISTS agreements (
    association TEXT, producer TEXT, branch TEXT, template TEXT, document TEXT
);
"""


class Malformed(Exception):
    """The event is signed, but is not what the documentation describes."""


def text(payload: dict[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str):
        raise Malformed(name)
    return value


def optional_text(payload: dict[str, Any], name: str) -> str | None:
    value = payload.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed(name)
    return value


def as_object(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise Malformed("payload")
    return payload


def status_changed(db: sqlite3.Connection, kind: str, payload: Any) -> None:
    if not isinstance(payload, list):
        raise Malformed("payload")
    for item in payload:
        entry = as_object(item)
        name = optional_text(entry, "legalName")
        db.execute(
            "INSERT INTO statuses VALUES (?, ?, ?, ?)",
            (kind, text(entry, "downstreamEntityAssociationId"), name, json.dumps(entry)),
        )
        log.info("status of %s changed", json.dumps(name))


def synchronized(db: sqlite3.Connection, kind: str, payload: Any) -> None:
    entry = as_object(payload)
    db.execute(
        "INSERT INTO synchronized VALUES (?, ?, ?)",
        (
            optional_text(entry, "npn"),
            text(entry, "synchronizationStatus"),
            optional_text(entry, "niprDataSubscriptionId"),
        ),
    )


def fetch_document(document: str) -> None:
    """Asks Turris for the signed document; the desk's staff can ask again if this fails."""
    base = os.environ.get("TURRIS_BASE_URL")
    if not base:
        return
    address = f"{base}/v1/file-documents/{urllib.parse.quote(document, safe='')}"
    try:
        with urllib.request.urlopen(address, timeout=3) as answer:
            content = answer.read(LIMIT)
    except OSError:
        log.warning("the document could not be fetched yet")
        return
    folder = DATA / "documents"
    folder.mkdir(exist_ok=True)
    (folder / f"{document}.json").write_bytes(content)


def agreement_executed(db: sqlite3.Connection, kind: str, payload: Any) -> None:
    entry = as_object(payload)
    document = optional_text(entry, "signedFileDocumentId")
    db.execute(
        "INSERT INTO agreements VALUES (?, ?, ?, ?, ?)",
        (
            text(entry, "downstreamEntityAssociationId"),
            optional_text(entry, "producerCode"),
            optional_text(entry, "branchName"),
            optional_text(entry, "contractContainerTemplateName"),
            document,
        ),
    )
    log.info("agreement of branch %s", json.dumps(entry.get("branchName")))
    if document is not None and OBJECT_ID.fullmatch(document):
        fetch_document(document)


HANDLERS: dict[str, Callable[[sqlite3.Connection, str, Any], None]] = {
    "AGENT_COMPLIANCE_STATUS_CHANGE": status_changed,
    "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE": status_changed,
    "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED": synchronized,
    "PRODUCER_AGREEMENT_EXECUTED": agreement_executed,
}


def connect() -> sqlite3.Connection:
    db = sqlite3.connect(DATABASE, timeout=10)
    db.executescript(SCHEMA)
    return db


async def read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            raise HTTPException(413, "Too large")
    return bytes(body)


def is_signed(body: bytes, given: str) -> bool:
    key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
    expected = hmac.new(key, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode())


def parse(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "Malformed JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("webhookType"), str):
        raise HTTPException(400, "Malformed event")
    if event.get("upstreamEntityId") != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
        raise HTTPException(403, "Unknown entity")
    return event


def handle(body: bytes, event: dict[str, Any]) -> None:
    handler = HANDLERS.get(event["webhookType"])
    if handler is None:
        log.info("ignored an event of an unknown type")
        return
    db = connect()
    try:
        with db:
            db.execute("INSERT INTO seen VALUES (?)", (hashlib.sha256(body).hexdigest(),))
            handler(db, event["webhookType"], event.get("payload"))
    except sqlite3.IntegrityError:
        log.info("a duplicate was ignored")
    except Malformed as error:
        raise HTTPException(422, "Malformed payload") from error
    finally:
        db.close()


@app.post("/webhooks/turris")
async def webhook(request: Request) -> Response:
    body = await read_body(request)
    if not is_signed(body, request.headers.get("X-Turris-Signature", "")):
        log.warning("a webhook without a valid signature was refused")
        raise HTTPException(401, "Invalid signature")
    await run_in_threadpool(handle, body, parse(body))
    return Response(status_code=204)


@app.get("/agreements")
def agreements() -> HTMLResponse:
    db = connect()
    rows = db.execute("SELECT branch, template FROM agreements").fetchall()
    names = db.execute("SELECT name FROM statuses").fetchall()
    db.close()
    items = [html.escape(str(value)) for row in (*rows, *names) for value in row]
    return HTMLResponse("<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>")
