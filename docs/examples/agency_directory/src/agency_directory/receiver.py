"""The endpoint for Turris' webhooks.

A webhook carries neither time nor number, so one from last month is as well signed as one from
now. It is therefore taken as a hint only: what is stored is read from the API.
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
    """An application that keeps the store up to date; the caller closes the client."""
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
    """Whether there is exactly one signature, and it is that of these bytes."""
    expected = hmac.new(key, body, hashlib.sha256).hexdigest().encode()
    given = [signature.encode("latin-1") for signature in signatures]
    return len(given) == 1 and hmac.compare_digest(given[0], expected)


def requested_by(body: bytes) -> Call[Agency] | None:
    """What to read from the API because of this webhook; raise ValueError and its kin if unfit."""
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
        # An agreement is executed once, so the same bytes again are a resend or a replay.
        with store.claim(hashlib.sha256(body).hexdigest()) as is_first:
            if is_first:
                store.save(await client.perform(call))
    except NotFoundError:
        logger.warning("A webhook names an agency that Turris does not show us")
    except TurrisError as error:
        logger.warning("A webhook waits to be sent again: %s", error)
        return 503
    return 204


async def _body(request: Request) -> bytes | None:
    """The raw body, unless it is larger than any webhook."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
