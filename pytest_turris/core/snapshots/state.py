"""The state of a sandbox: as one document, as rows, and put back."""

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pytest_turris.core.access.credentials import Credentials
from pytest_turris.core.access.tokens import Tokens
from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.clock import Clock
from pytest_turris.core.entity.entity import UpstreamEntity
from pytest_turris.core.faults.scripted import Faults
from pytest_turris.core.journal.journal import Journal
from pytest_turris.core.middleware.idempotency import Idempotency
from pytest_turris.core.middleware.limits import Limits
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.snapshots.outbox_state import OutboxState
from pytest_turris.core.snapshots.versions import SNAPSHOT_VERSION
from pytest_turris.core.undo import Undo

if TYPE_CHECKING:
    from pytest_turris.core.access.credential import ApiClient


class Holder(Protocol):
    """The sandbox that is in this state."""

    clock: Clock
    randomness: Randomness
    credentials: Credentials
    tokens: Tokens
    limits: Limits
    idempotency: Idempotency
    faults: Faults
    journal: Journal
    client: "ApiClient"
    token_requests: int
    undo: Undo


class SnapshotState:
    """Everything that a sandbox remembers. Hold the sandbox's lock while you use it."""

    def __init__(self, holder: Holder, entity: UpstreamEntity, outbox: OutboxState) -> None:
        self._holder = holder
        self._entity = entity
        self.outbox: OutboxState = outbox
        self._changes: Changes | None = None
        self._parts: dict[str, Any] = {
            "randomness": holder.randomness,
            "entity": entity,
            "outbox": outbox,
            "credentials": holder.credentials,
            "tokens": holder.tokens,
            "limits": holder.limits,
            "idempotency": holder.idempotency,
            "faults": holder.faults,
            "journal": holder.journal,
        }

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON data."""
        parts = {name: part.snapshot() for name, part in self._parts.items()}
        return {"version": SNAPSHOT_VERSION} | self._facts() | parts

    def become(self, snapshot: dict[str, Any]) -> None:
        """Restore the state of a snapshot; of an incomplete one, only a part.

        Raises:
            ArithmeticError, LookupError, TypeError, ValueError: It is not a whole snapshot.
        """
        holder = self._holder
        before = (holder.client.client_id, holder.client.client_secret)
        holder.clock.offset = dt.timedelta(microseconds=snapshot["clock"]["offset_us"])
        for name, part in self._parts.items():
            part.restore(snapshot[name])
        client = holder.credentials.client(snapshot["client"])
        if client is None:
            raise KeyError(snapshot["client"])
        holder.client = client
        holder.limits.default_credential = client.client_id
        holder.token_requests = int(snapshot["token_requests"])
        holder.faults.made = int(snapshot["faults_made"])
        if self._changes is not None:
            self._changes.mark_everything()
        on_rotate = holder.credentials.on_rotate
        if on_rotate and before != (client.client_id, client.client_secret):
            on_rotate(client)

    def become_as_a_whole(self, snapshot: dict[str, Any]) -> None:
        """Restore the state of a whole snapshot; an exception, from wherever, leaves it as it was.

        It is called by ``Undo.run``: one part after another is replaced, and put back in that way.
        """
        self._holder.undo.step(partial(self.become, self.snapshot()))
        self.become(snapshot)

    def note_changes(self) -> Changes:
        """Note from now on which rows of the state change, and return where."""
        self._changes = changes = Changes()
        # Changes may be among what was taken back.
        self._holder.undo.on_taken_back = changes.mark_everything
        for name in ("credentials", "tokens", "limits", "idempotency", "faults"):
            self._parts[name].changes = changes
        self.outbox.note_changes(changes)
        self._entity.note_changes(changes)
        return changes

    def note_token_request(self) -> None:
        """Note that there was one more token request."""
        if self._changes is not None:
            self._changes.mark("sandbox", "", self._facts)

    def note_options(self) -> None:
        """Note that the options were changed."""
        if self._changes is not None:
            self._changes.mark("options", "", lambda: None)

    def part(self, name: str) -> Any:  # noqa: ANN401 - each part has a type of its own
        """A part by its name."""
        return self._parts[name]

    def rows(self) -> Iterator[Row]:
        """The whole state as rows, as ``snapshot_from`` reads them."""
        yield from self.few_rows()
        yield "faults", "", self._holder.faults.snapshot()
        for name in ("entity", "outbox", "credentials", "tokens", "limits", "idempotency"):
            yield from self._parts[name].rows()
        yield from self._holder.journal.rows()

    def few_rows(self) -> tuple[Row, ...]:
        """The rows that change too often to be noted: clock, counters, randomness."""
        return (
            ("sandbox", "", self._facts()),
            ("randomness", "", self._holder.randomness.snapshot()),
            ("entity", "", self._entity.facts()),
        )

    def _facts(self) -> dict[str, Any]:
        return {
            "clock": {"offset_us": self._holder.clock.offset // dt.timedelta(microseconds=1)},
            "client": self._holder.client.client_id,
            "token_requests": self._holder.token_requests,
            "faults_made": self._holder.faults.made,
        }
