"""What a receiver of Turris' webhooks does in any framework: verify, parse, act once."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MAX_BODY = 1024 * 1024
SHORTEST_KEY = 24
LISTS = ("AGENT_COMPLIANCE_STATUS_CHANGE", "DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE")
OBJECTS = {
    "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED": "npn",
    "PRODUCER_AGREEMENT_EXECUTED": "downstreamEntityAssociationId",
}

Headers = Iterable[tuple[str, str]]
Act = Callable[[str, dict[str, Any]], object]


class Inbox:
    """Processes deliveries; returns the status to answer with. ``act(key, entry)`` does the work.

    ``act`` gets the same key for the same entry of the same webhook, and must do nothing the
    second time: for example an INSERT with that key as the primary key. If it raises, the status
    is 503, and a resend by Turris is processed again.
    """

    def __init__(self, keys: Iterable[str], entity: str, act: Act) -> None:
        self._keys = [key.strip().encode() for key in keys]
        if not self._keys or min(map(len, self._keys)) < SHORTEST_KEY:
            raise ValueError("a webhook key is missing or too short")
        self._entity = entity
        self._act = act
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def receive(self, headers: Headers, body: bytes) -> int:
        """Process a delivery: all its header lines, including repeated ones, and its raw body."""
        lines = [(name.lower(), value) for name, value in headers]
        if len(body) > MAX_BODY:
            return 413
        if not self.is_authentic(_values(lines, "x-turris-signature"), body):
            return 401
        if not self.is_json(lines):
            return 415
        try:
            event = self.parse(body)
            entries = list(self.entries(event))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return 400
        return self.act_once(hashlib.sha256(body).hexdigest(), entries)

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        """Return whether there is exactly one signature, made with one of the keys."""
        given = [
            signature.strip(" \t").encode("utf-8", "surrogateescape") for signature in signatures
        ]
        expected = [hmac.new(key, body, hashlib.sha256).hexdigest().encode() for key in self._keys]
        matches = [hmac.compare_digest(given[0], one) for one in expected] if given else []
        return len(given) == 1 and any(matches)

    def is_json(self, lines: list[tuple[str, str]]) -> bool:
        """Return whether the headers declare plain JSON in UTF-8, with one length."""
        kind, _, rest = "".join(_values(lines, "content-type")).lower().partition(";")
        plain = kind.strip() == "application/json" and rest.strip() in ("", "charset=utf-8")
        lengths = _values(lines, "content-length") + _values(lines, "transfer-encoding")
        return plain and not _values(lines, "content-encoding") and len(lengths) <= 1

    def parse(self, body: bytes) -> dict[str, Any]:
        """Parse the event; raise ValueError or a similar error if it is not valid."""
        event = json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=_unique)
        if not (isinstance(event["webhookType"], str) and isinstance(event, dict)):
            raise TypeError("not an event")
        return event

    def entries(self, event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each entry to act on, with its name; nothing if the event is for another entity."""
        name, payload = event["webhookType"], event["payload"]
        fits = isinstance(payload, list if name in LISTS else dict)
        if not fits:
            raise TypeError("the payload has the wrong type")
        if event["upstreamEntityId"] != self._entity:
            return
        if name in LISTS:
            yield from {self.name_of(entry, "npn"): entry for entry in payload}.items()
        elif name in OBJECTS:
            yield self.name_of(payload, OBJECTS[name]), payload

    def name_of(self, entry: dict[str, Any], member: str) -> str:
        """Return the member that identifies an entry."""
        name = entry[member]
        if not (isinstance(name, str) and name):
            raise ValueError(f"{member} is not an id")
        return name

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        """Act on all entries, unless the same bytes were processed before."""
        with self._lock:
            if digest in self._seen:
                return 204
            self._seen.add(digest)
        try:
            for name, entry in entries:
                self._act(f"{digest}/{name}", entry)
        except Exception:  # noqa: BLE001 - whatever failed, the webhook must be sent again
            self._seen.discard(digest)
            return 503
        return 204


def _values(lines: list[tuple[str, str]], name: str) -> list[str]:
    return [value for line, value in lines if line == name]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
