"""An aiohttp receiver: client_max_size bounds the body, a lock serialises the database."""

import asyncio
import hashlib
import hmac
import json
import os
import sqlite3

from aiohttp import web

DATABASE = web.AppKey("database", sqlite3.Connection)
LOCK = web.AppKey("lock", asyncio.Lock)


async def receive(request: web.Request) -> web.Response:
    body = await request.read()
    secret = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
    wanted = hmac.new(secret, body, hashlib.sha256).digest()
    try:
        given = bytes.fromhex(request.headers.get("X-Turris-Signature", ""))
    except ValueError:
        raise web.HTTPUnauthorized from None
    if not hmac.compare_digest(wanted, given):
        raise web.HTTPUnauthorized
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text="not JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("webhookType"), str):
        raise web.HTTPBadRequest(text="not an event")
    if event.get("upstreamEntityId") != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
        raise web.HTTPForbidden(text="not our entity")
    async with request.app[LOCK]:
        with request.app[DATABASE] as database:
            database.execute(
                "INSERT OR IGNORE INTO events VALUES (?, ?)",
                (hashlib.sha256(body).hexdigest(), event["webhookType"]),
            )
    return web.Response(text="ok")


async def database(app: web.Application):
    app[LOCK] = asyncio.Lock()
    app[DATABASE] = sqlite3.connect(os.environ["DATABASE_PATH"])
    app[DATABASE].execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT)")
    yield
    app[DATABASE].close()


def create_app() -> web.Application:
    app = web.Application(client_max_size=256 * 1024)
    app.add_routes([web.post("/webhooks/turris", receive)])
    app.cleanup_ctx.append(database)
    return app


if __name__ == "__main__":
    web.run_app(create_app(), host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
