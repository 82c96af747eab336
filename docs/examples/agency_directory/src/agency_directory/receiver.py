"""The endpoint for Turris' webhooks.

A webhook contains neither a time nor a number, so the signature of an old one is still valid. It is
therefore only a hint: what is stored is read from the API.
"""

import hashlib
import hmac
import json
import logging
from typing import NoReturn

from fastapi import FastAPI, Request, Response

from agency_directory import calls
from agency_directory.client import AsyncAgencyDirectory
from agency_directory.errors import NotFoundError, TurrisError
from agency_directory.exchange import Call
from agency_directory.models import Agency
from agency_directory.settings import Settings
from agency_directory.store import AgencyStore

MAX_BODY = 1024 * 1024

logger = logging.getLogger(__name__)


def create_app(settings: Settings, client: AsyncAgencyDirectory, store: AgencyStore) -> FastAPI:
    """Create an application that updates the store. The caller closes the client."""
    app = FastAPI(openapi_url=None)
    key = settings.webhook_secret.encode()

    @app.post("/webhooks")
    async def receive(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        if not is_authentic(key, request.headers.getlist("X-Turris-Signature"), body):
            return Response(status_code=401)
        try:
            call = requested_by(body)
        except (ValueError, LookupError, TypeError, RecursionError):
            return Response(status_code=400)
        return Response(status_code=await _follow(call, body, client, store))

    return app


def is_authentic(key: bytes, signatures: list[str], body: bytes) -> bool:
    """Return whether there is exactly one signature, and it matches the body."""
    expected = hmac.new(key, body, hashlib.sha256).hexdigest().encode()
    given = [signature.encode("latin-1") for signature in signatures]
    return len(given) == 1 and hmac.compare_digest(given[0], expected)


def requested_by(body: bytes) -> Call[Agency] | None:
    """Return what to read from the API; raise ValueError or a similar error for a bad webhook."""
    event = json.loads(body.decode(), parse_constant=_refuse)
    if event["webhookType"] != "PRODUCER_AGREEMENT_EXECUTED":
        return None
    return calls.agency(event["payload"]["downstreamEntityAssociationId"])


async def _follow(
    call: Call[Agency] | None, body: bytes, client: AsyncAgencyDirectory, store: AgencyStore
) -> int:
    if call is None:
        return 204
    try:
        # An agreement is executed only once, so the same bytes are a resend or a replay.
        with store.claim(hashlib.sha256(body).hexdigest()) as is_first:
            if is_first:
                store.save(await client.perform(call))
    except NotFoundError:
        logger.warning("A webhook names an agency that Turris does not return")
    except TurrisError as error:
        logger.warning("A webhook has to be sent again: %s", error)
        return 503
    return 204


async def _body(request: Request) -> bytes | None:
    """Return the raw body, or None if it is larger than any webhook."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
