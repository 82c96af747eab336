"""Correct receivers in different styles, none of which was written for an attack.

Each is a WSGI application of its own; what they have in common is the HMAC of the raw body.
"""

import hashlib
import hmac
import itertools
import json
import zlib
from collections.abc import Callable
from typing import Any

from .good_receiver import ENTITY, Backend

TYPES = (
    "PRODUCER_AGREEMENT_EXECUTED",
    "AGENT_COMPLIANCE_STATUS_CHANGE",
    "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE",
    "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED",
)
LIMIT = 1024 * 1024
REQUESTS = itertools.count(1)

Answer = tuple[int, str]


class Plain:
    """Verifies, parses, acts once for each body, and ignores what it does not know."""

    encoding = "hex"

    def __init__(self, keys: Any, backend: Backend) -> None:
        self._keys = [key.encode() for key in keys]
        self._backend = backend
        self._seen: set[str] = set()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> list[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != "/webhooks":
            status, text = 404, "not found"
        else:
            status, text = self.post(environ, environ["wsgi.input"].read())
        start_response(f"{status} x", [("Content-Type", "application/json")])
        return [text.encode()]

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        """The answer to a request."""
        if not self.is_signed(environ, body):
            return 401, '{"error":"signature"}'
        try:
            return self.take(json.loads(body), body)
        except (ValueError, RecursionError, TypeError, KeyError, AttributeError, IndexError):
            return 400, '{"error":"body"}'

    def is_signed(self, environ: dict[str, Any], body: bytes) -> bool:
        """Whether the signature is that of the body."""
        given = environ.get("HTTP_X_TURRIS_SIGNATURE", "").encode("latin-1")
        return any(
            hmac.compare_digest(given, hmac.new(key, body, hashlib.sha256).hexdigest().encode())
            for key in self._keys
        )

    def take(self, event: dict[str, Any], body: bytes) -> Answer:
        """Act on a genuine event."""
        kind = event["webhookType"]
        if kind not in TYPES or event["upstreamEntityId"] != ENTITY:
            return 200, '{"ignored":true}'
        self.act(event, body)
        return 200, '{"ok":true}'

    def act(self, event: dict[str, Any], body: bytes) -> None:
        """Store the entries of an event under its digest."""
        digest = hashlib.sha256(body).hexdigest()
        payload = event["payload"]
        entries = payload if isinstance(payload, list) else [payload]
        for entry in entries:
            self._backend.rows[f"{digest}/{entry['npn' if 'npn' in entry else 'branchName']}"] = (
                entry
            )


class Queues(Plain):
    """Stores the bytes, answers 202, and leaves what cannot be parsed as a dead letter."""

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        if not self.is_signed(environ, body):
            return 401, ""
        try:
            self.take(json.loads(body), body)
        except (ValueError, RecursionError, TypeError, KeyError, AttributeError, IndexError):
            self._backend.stored = "dead letter"
        return 202, ""


class RefusesUnknown(Plain):
    """Answers 400 to types that it does not know."""

    def take(self, event: dict[str, Any], body: bytes) -> Answer:
        if event["webhookType"] not in TYPES:
            return 400, '{"error":"webhookType"}'
        return super().take(event, body)


class OneType(Plain):
    """Acts on agreements, and answers 200 to every other genuine event."""

    def act(self, event: dict[str, Any], body: bytes) -> None:
        if event["webhookType"] == TYPES[0]:
            super().act(event, body)

    def take(self, event: dict[str, Any], body: bytes) -> Answer:
        _, text = super().take(event, body)
        return 200, text if event["webhookType"] == TYPES[0] else '{"ignored":true}'


class LooksAtTheTypeFirst(OneType):
    """Drops what is not an agreement before it verifies, with the same answer to all."""

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        try:
            kind = json.loads(body)["webhookType"]
        except (ValueError, RecursionError, TypeError, KeyError, IndexError):
            kind = TYPES[0]
        if kind != TYPES[0]:
            return 200, '{"ignored":true}'
        return super().post(environ, body)


class OnlyJson(Plain):
    """Answers 415 to other content types, before anything else."""

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if kind != "application/json" or environ.get("HTTP_CONTENT_ENCODING"):
            return 415, ""
        return super().post(environ, body)


class Problems(Plain):
    """Answers errors as RFC 9457 has them, each with an id of its own."""

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        status, text = super().post(environ, body)
        if status < 400:
            return status, text
        problem = {
            "type": "about:blank",
            "status": status,
            "instance": f"urn:request:{next(REQUESTS)}",
        }
        return status, json.dumps(problem)


class Inflates(Plain):
    """Inflates up to a limit, as body-parser does, and verifies what comes of it."""

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        if environ.get("HTTP_CONTENT_ENCODING"):
            inflate = zlib.decompressobj(47)
            try:
                body = inflate.decompress(body, LIMIT)
            except zlib.error:
                return 400, ""
            if inflate.unconsumed_tail:
                return 413, ""
        return super().post(environ, body)


class Tenants(Plain):
    """Has a key for each entity, and says 404 for one that it does not know."""

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        try:
            entity = json.loads(body)["upstreamEntityId"]
        except (ValueError, RecursionError, TypeError, KeyError, IndexError):
            return 400, ""
        if entity != ENTITY:
            return 404, ""
        return super().post(environ, body)


class SmallLimit(Plain):
    """Answers 413 to more than 100 kB."""

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        return (413, "") if len(body) > 100_000 else super().post(environ, body)


class AnswersWithWhatCame(Plain):
    """Repeats the event in its answer, as JSON."""

    def take(self, event: dict[str, Any], body: bytes) -> Answer:
        status, _ = super().take(event, body)
        return status, json.dumps({"received": event})


class Shows(Plain):
    """Logs one line of JSON for each request, shows what came in a page, and asks the API."""

    def post(self, environ: dict[str, Any], body: bytes) -> Answer:
        status, text = super().post(environ, body)
        self._backend.log.append(json.dumps({"status": status, "body": body.decode("latin-1")}))
        return status, text

    def act(self, event: dict[str, Any], body: bytes) -> None:
        super().act(event, body)
        shown = json.dumps(event).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        self._backend.shown.append(shown)
        digest = hashlib.sha256(body).hexdigest()
        self._backend.paths.append(f"/v1/agencies/{digest}")


CORRECT: tuple[type[Plain], ...] = (
    Plain,
    Queues,
    RefusesUnknown,
    OneType,
    LooksAtTheTypeFirst,
    OnlyJson,
    Problems,
    Inflates,
    Tenants,
    SmallLimit,
    AnswersWithWhatCame,
    Shows,
)
