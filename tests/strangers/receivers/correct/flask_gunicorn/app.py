"""A Flask receiver under gunicorn, with MAX_CONTENT_LENGTH and an application factory."""

import hashlib
import hmac
import os
import sqlite3

from flask import Flask, abort, current_app, g, jsonify, request


def get_db() -> sqlite3.Connection:
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"], timeout=10)
    return g.db


def close_db(_error: BaseException | None = None) -> None:
    db = g.pop("db", None)
    if db is not None:
        db.close()


def verify() -> bytes:
    body = request.get_data()
    given = request.headers.get("X-Turris-Signature", "")
    wanted = hmac.new(
        current_app.config["WEBHOOK_SECRET"].encode(), body, hashlib.sha256
    ).hexdigest()
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        abort(401)
    return body


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(
        MAX_CONTENT_LENGTH=1_000_000,
        DATABASE=os.environ["DATABASE_PATH"],
        WEBHOOK_SECRET=os.environ["TURRIS_WEBHOOK_SECRET"],
        ENTITY=os.environ["TURRIS_UPSTREAM_ENTITY_ID"],
    )
    with sqlite3.connect(app.config["DATABASE"]) as db:
        db.execute("CREATE TABLE IF NOT EXISTS seen (digest TEXT PRIMARY KEY)")
        db.execute("CREATE TABLE IF NOT EXISTS agreements (association TEXT, producer TEXT)")
        db.execute("CREATE TABLE IF NOT EXISTS changes (type TEXT, payload TEXT)")
    app.teardown_appcontext(close_db)

    @app.post("/webhooks/turris")
    def webhook():
        body = verify()
        event = request.get_json(silent=True)
        if not isinstance(event, dict) or "payload" not in event:
            return jsonify(error="not an event"), 400
        if event.get("upstreamEntityId") != app.config["ENTITY"]:
            return jsonify(error="unknown entity"), 400
        payload = event["payload"]
        db = get_db()
        with db:
            try:
                db.execute("INSERT INTO seen VALUES (?)", (hashlib.sha256(body).hexdigest(),))
            except sqlite3.IntegrityError:
                return "", 204
            if event.get("webhookType") == "PRODUCER_AGREEMENT_EXECUTED":
                if not isinstance(payload, dict):
                    db.rollback()
                    return jsonify(error="not an event"), 400
                db.execute(
                    "INSERT INTO agreements VALUES (?, ?)",
                    (
                        str(payload.get("downstreamEntityAssociationId")),
                        str(payload.get("producerCode")),
                    ),
                )
            elif event.get("webhookType") in {
                "AGENT_COMPLIANCE_STATUS_CHANGE",
                "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE",
                "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED",
            }:
                db.execute(
                    "INSERT INTO changes VALUES (?, ?)",
                    (event["webhookType"], app.json.dumps(payload)),
                )
        return "", 204

    return app
