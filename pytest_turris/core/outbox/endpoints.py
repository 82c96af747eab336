"""Registered webhooks: one URL, one event type, one secret each (help centre: settings-webhook)."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from pytest_turris.core.changes import Changes
from pytest_turris.core.entity.event_facts import EventKind
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.text.redaction import Secret, note_secret
from pytest_turris.core.undo import Undo, whole


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """One registered webhook. ``secret`` is shown once, when it is registered.

    ``failures`` counts the failed deliveries since the last that succeeded. ``disabled`` says
    why the webhook receives no more events; it is empty while it is enabled.
    """

    id: str
    url: str
    webhook_type: EventKind
    secret: Secret = field(repr=False)
    registered_at: dt.datetime
    failures: int = 0
    disabled: str = ""

    def plain(self) -> dict[str, Any]:
        """The webhook as JSON data, with its secret."""
        secret, at = str(self.secret), self.registered_at.isoformat()
        return asdict(self) | {"registered_at": at, "secret": secret}


class Endpoints:
    """The registered webhooks, in the order in which they were registered.

    Args:
        randomness: Makes ids and secrets.
        signing_key: Turns a secret into a key of the signature scheme.
    """

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, randomness: Randomness, signing_key: Callable[[str], str]) -> None:
        self._randomness = randomness
        self._signing_key = signing_key
        self._endpoints: dict[str, Endpoint] = {}

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(tuple(self._endpoints.values()))

    def __len__(self) -> int:
        return len(self._endpoints)

    @whole
    def add(self, url: str, webhook_type: str, at: dt.datetime, secret: str = "") -> Endpoint:
        """Register a webhook; several may share a URL or a type.

        Raises:
            UnknownNameError: There is no such type.
        """
        for kind in get_args(EventKind):
            if kind == webhook_type:
                note_secret(secret)
                key = secret or self._signing_key(self._randomness.secret("webhook"))
                endpoint = Endpoint(
                    id=self._randomness.object_id(),
                    url=url,
                    webhook_type=kind,
                    secret=Secret(key),
                    registered_at=at,
                )
                self.undo.item(self._endpoints, endpoint.id)
                self._endpoints[endpoint.id] = endpoint
                self.mark(endpoint)
                return endpoint
        raise UnknownNameError(
            f"there is no event {webhook_type!r}; the events are {', '.join(get_args(EventKind))}"
        )

    def get(self, id_: str) -> Endpoint | None:
        """The webhook with an id, if it is registered."""
        return self._endpoints.get(id_)

    @whole
    def remove(self, id_: str) -> None:
        """Remove a webhook. UnknownRecordError if there is none."""
        self.undo.copies(self, "_endpoints")
        if self._endpoints.pop(id_, None) is None:
            raise UnknownRecordError(f"no webhook with id {id_!r}")
        if self.changes is not None:
            self.changes.gone("outbox.endpoints", id_)

    @whole
    def enable(self, id_: str) -> None:
        """Enable a disabled webhook: it receives what happens from now on.

        Raises:
            UnknownRecordError: There is no such webhook.
        """
        if (endpoint := self.get(id_)) is None:
            raise UnknownRecordError(f"no webhook with id {id_!r}")
        self.undo.attributes(endpoint, "disabled", "failures")
        endpoint.disabled, endpoint.failures = "", 0
        self.mark(endpoint)

    def mark(self, endpoint: Endpoint) -> None:
        """Note that a webhook was changed."""
        if self.changes is not None:
            self.changes.mark("outbox.endpoints", endpoint.id, endpoint.plain)

    def subscribed_to(self, kind: str) -> list[Endpoint]:
        """The webhooks that receive events of a type, disabled ones left out."""
        return [
            one for one in self._endpoints.values() if one.webhook_type == kind and not one.disabled
        ]

    def snapshot(self) -> list[dict[str, Any]]:
        """The webhooks as JSON data, secrets included, which are fakes."""
        return [one.plain() for one in self]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace the webhooks with a snapshot's."""
        self._endpoints = {row["id"]: _restored(row) for row in rows}

    def take_over(self, id_: str, row: dict[str, Any] | None) -> None:
        """Take over a webhook that another process changed; None if it was removed there."""
        if row is None:
            self._endpoints.pop(id_, None)
        else:
            self._endpoints[id_] = _restored(row)


def _restored(row: dict[str, Any]) -> Endpoint:
    at = dt.datetime.fromisoformat(row["registered_at"])
    note_secret(row["secret"])
    return Endpoint(**row | {"registered_at": at, "secret": Secret(row["secret"])})
