"""One receiver for several customers: each path has its own secret and its own entity."""

import hashlib
import hmac
import json
import os
import sqlite3
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


@dataclass(frozen=True)
class Tenant:
    name: str
    secret: bytes
    entity: str


TENANTS = {
    tenant.name: tenant
    for tenant in (
        Tenant(
            "turris",
            os.environ["TURRIS_WEBHOOK_SECRET"].encode(),
            os.environ["TURRIS_UPSTREAM_ENTITY_ID"],
        ),
        Tenant(
            "northwind",
            b"a-key-of-another-customer-0123456789",
            "507f1f77bcf86cd7994390ff",
        ),
    )
}


def store(tenant: str, digest: str, kind: str) -> None:
    database = sqlite3.connect(os.environ["DATABASE_PATH"], timeout=10)
    with database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS events"
            " (tenant TEXT, digest TEXT, type TEXT, PRIMARY KEY (tenant, digest))"
        )
        database.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", (tenant, digest, kind))
    database.close()


async def limited(request: Request, limit: int = 1_000_000) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body.extend(chunk)
        if len(body) > limit:
            raise HTTPException(413)
    return bytes(body)


async def receive(request: Request) -> PlainTextResponse:
    tenant = TENANTS.get(request.path_params["tenant"])
    if tenant is None:
        raise HTTPException(404)
    body = await limited(request)
    wanted = hmac.new(tenant.secret, body, hashlib.sha256).hexdigest()
    given = request.headers.get("x-turris-signature", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise HTTPException(401, "invalid signature")
    try:
        event = json.loads(body)
        kind, entity = event["webhookType"], event["upstreamEntityId"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HTTPException(400, "malformed event") from None
    if entity != tenant.entity:
        raise HTTPException(403, "this entity has another address")
    digest = hashlib.sha256(body).hexdigest()
    await run_in_threadpool(store, tenant.name, digest, str(kind))
    return PlainTextResponse("stored")


app = Starlette(routes=[Route("/webhooks/{tenant}", receive, methods=["POST"])])
