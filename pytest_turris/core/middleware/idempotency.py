"""Idempotency keys: for an hour, a repeated request gets the stored response.

Both header names, the UUID rule, its message and the hour are documented
(guides/idempotency); the pages disagree on the version of the UUID. Assumed: a key is
per credential and operation, only successes are stored, the plain header takes precedence over
``x-``, and the same key with another body is a 422.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.clock import Clock
from pytest_turris.core.options import Options
from pytest_turris.core.undo import Undo, whole
from pytest_turris.core.wire.errors import InvalidInput, Unprocessable
from pytest_turris.core.wire.messages import Request, Response

IDEMPOTENCY_HEADERS = ("idempotency-key", "x-idempotency-key")
INVALID_KEY = (
    "Invalid idempotency key format. The idempotency-key must be a valid UUID"  # documented
)

_OTHER_VERSION = (
    f"{INVALID_KEY}: it has another version than 4; option idempotency_keys='any_uuid' takes it"
)

REPLAYED = "the stored response for this idempotency key was sent again"
"""The journal's note about a call without an effect of its own."""

_UUIDS = {
    "any_uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE),
    "uuid_v4": re.compile(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
    ),
}
"""The form of a key by the option ``idempotency_keys``; that of version 4 is in RFC 9562, 5.4."""

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _StoredAnswer:
    """An answer that is kept for its key."""

    body_digest: str
    at: dt.datetime
    response: Response


class Idempotency:
    """The stored responses of one sandbox, by credential, operation and key."""

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock = clock
        self._options = options
        self._stored: dict[Key, _StoredAnswer] = {}

    def __iter__(self) -> Iterator[tuple[Key, _StoredAnswer]]:
        """The answers that are kept now, with their keys."""
        kept = [one for one in self._stored.items() if self._is_kept(one[1])]
        return iter(kept)

    def key_of(self, request: Request, credential: str, operation: str) -> Key | None:
        """The key that a request carries, if any.

        Raises:
            InvalidInput: It is not a UUID, or not one of version 4 (option ``idempotency_keys``),
                or two different ones are given.
        """
        given = [lines for name in IDEMPOTENCY_HEADERS if (lines := request.lines(name))]
        if not given:
            return None
        if any(len(set(values)) > 1 for values in given):
            raise InvalidInput(INVALID_KEY)
        keys = [values[0] for values in given]
        if not all(map(_UUIDS["any_uuid"].fullmatch, keys)):
            raise InvalidInput(INVALID_KEY)
        if not all(map(_UUIDS[self._options.idempotency_keys].fullmatch, keys)):
            raise InvalidInput(INVALID_KEY, reason=_OTHER_VERSION)
        return credential, operation, keys[0].lower()

    def replay(self, key: Key, request: Request) -> Response | None:
        """The stored response, if the key was used within the last hour.

        Raises:
            Unprocessable: It was used with another body (option ``idempotency_conflict``).
        """
        stored = self._stored.get(key)
        if stored is None or not self._is_kept(stored):
            return None
        if (
            stored.body_digest != _digest(request)
            and self._options.idempotency_conflict == "refuse"
        ):
            raise Unprocessable(
                "Idempotency key was already used with a different request body",
                reason=f"the key ...{key[2][-4:]} was used at {stored.at:%H:%M:%S}Z with another "
                "body; option idempotency_conflict='replay' answers with the stored response",
            )
        return stored.response

    @whole
    def store(self, key: Key, request: Request, response: Response) -> None:
        """Keep a response for its key, and drop expired ones."""
        self._keep_only(self._is_kept)
        self._stored[key] = stored = _StoredAnswer(_digest(request), self._clock.now(), response)
        if self.changes is not None:
            self.changes.mark("idempotency", " ".join(key), partial(_plain, key, stored))

    def _is_kept(self, stored: _StoredAnswer) -> bool:
        """Whether it is still kept; an answer that was stored after now does not exist yet."""
        age = self._clock.now() - stored.at
        return dt.timedelta(0) <= age < self._options.idempotency_ttl

    @whole
    def forget(self) -> None:
        """Drop all stored responses, as Turris's in-memory cache does on a restart."""
        self._keep_only(lambda _: False)

    def _keep_only(self, is_kept: Callable[[_StoredAnswer], bool]) -> None:
        kept = {key: stored for key, stored in self._stored.items() if is_kept(stored)}
        if self.changes is not None:
            for key in self._stored.keys() - kept.keys():
                self.changes.gone("idempotency", " ".join(key))
        self.undo.attributes(self, "_stored")
        self._stored = kept

    def rows(self) -> Iterator[Row]:
        """The stored responses as rows of the state."""
        for key, stored in self._stored.items():
            yield "idempotency", " ".join(key), _plain(key, stored)

    def snapshot(self) -> list[Any]:
        """The stored responses as JSON data."""
        return [row for _, _, row in self.rows()]

    def restore(self, data: list[Any]) -> None:
        """Replace the stored responses with a snapshot's."""
        self._stored = {}
        for row in data:
            self.take_over("", row)

    def take_over(self, key: str, row: list[Any] | None) -> None:
        """Take over an answer that was stored elsewhere; None if it was dropped there."""
        if row is None:
            credential, operation, value = key.split(" ")
            self._stored.pop((credential, operation, value), None)
            return
        (credential, operation, value), digest, at, status, fields, body = row
        headers = tuple((name, content) for name, content in fields)
        response = Response(status=status, headers=headers, body=body.encode())
        moment = dt.datetime.fromisoformat(at)
        self._stored[credential, operation, value] = _StoredAnswer(digest, moment, response)


def _plain(key: Key, stored: _StoredAnswer) -> list[Any]:
    return [
        list(key),
        stored.body_digest,
        stored.at.isoformat(),
        stored.response.status,
        [list(field) for field in stored.response.headers],
        stored.response.body.decode(),
    ]


def _digest(request: Request) -> str:
    """The digest of what the body says: white space and the order of members do not count."""
    try:
        body = json.dumps(json.loads(request.body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        body = request.body
    return hashlib.sha256(body).hexdigest()
