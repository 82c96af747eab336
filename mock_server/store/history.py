"""What a store knows about a sandbox: its rows now, its steps, and its rows after each step."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from mock_server.store.databases.database import Database, Found
from mock_server.store.errors import HistoryError
from mock_server.store.writing import FACTS, JOURNAL
from pytest_turris.core.changes import Row
from pytest_turris.core.snapshots.rows import snapshot_from

KEPT_STEPS = 10_000
"""How many steps can be taken back; those before them are forgotten."""

_ROWS = (
    "SELECT part, key, value FROM state WHERE tenant = ? AND value IS NOT NULL ORDER BY position"
)
EXCHANGES = "SELECT number, value FROM exchanges WHERE tenant = ? ORDER BY number"
_PLACES = "SELECT part, key, position, value FROM state WHERE tenant = ? AND value IS NOT NULL"
_EXCHANGES_UNTIL = (
    "SELECT number, value FROM exchanges WHERE tenant = ? AND number <= ? ORDER BY number"
)
_UNDONE = (
    "SELECT part, key, position, value FROM undo WHERE tenant = ? AND step > ? ORDER BY step DESC"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStep:
    """One change of a sandbox: a request, a control, a delivery, or what became due.

    Args:
        number: Its number, from 1.
        at: The moment on the sandbox's clock.
        what: What it was, redacted.
        exchange: The number of the journal's newest exchange at that moment.
    """

    number: int
    at: dt.datetime
    what: str
    exchange: int


class History:
    """Reads what a store has about one sandbox.

    Args:
        database: Where it is.
        name: The tenant.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    @property
    def last(self) -> int:
        """The number of the last step."""
        query = "SELECT MAX(number) FROM steps WHERE tenant = ?"
        return int(self._database.select(query, self._name)[0][0] or 0)

    def state(self, facts: str) -> dict[str, Any]:
        """The snapshot as it is now, with these facts."""
        rows, exchanges = self._database.select_all(
            (_ROWS, (self._name,)), (EXCHANGES, (self._name,))
        )
        found = [(part, key, from_json(value)) for part, key, value in rows]
        return snapshot_of(from_json(facts), found, exchanges)

    def count(self) -> int:
        """How many steps are kept."""
        query = "SELECT COUNT(*) FROM steps WHERE tenant = ?"
        return int(self._database.select(query, self._name)[0][0])

    def steps(self, count: int, *, before: int | None = None) -> list[HistoryStep]:
        """The last steps, oldest first; with ``before``, the last before the one of that number."""
        found = self._database.select(
            "SELECT number, at, what, exchange FROM steps WHERE tenant = ? AND number < ? "
            "ORDER BY number DESC LIMIT ?",
            self._name,
            self.last + 1 if before is None else before,
            count,
        )
        return [_step(row) for row in reversed(found)]

    def at(self, number: int) -> tuple[HistoryStep, dict[str, Any]]:
        """A step, and the snapshot after it.

        Raises:
            HistoryError: There is no such step, or it is no longer kept.
        """
        found = self._database.select(
            "SELECT number, at, what, exchange FROM steps WHERE tenant = ? AND number = ?",
            self._name,
            number,
        )
        if not found:
            first = self._database.select(
                "SELECT MIN(number) FROM steps WHERE tenant = ?", self._name
            )
            raise HistoryError(
                f"there is no step {number}; the steps from {first[0][0]} to {self.last} are kept"
            )
        step = _step(found[0])
        return step, self._state_after(step)

    def prune(self, last: int) -> None:
        """Forget the steps up to one, in a transaction."""
        for table, column in (("undo", "step"), ("steps", "number")):
            self._database.execute(
                f"DELETE FROM {table} WHERE tenant = ? AND {column} <= ?",  # noqa: S608 - both are ours
                self._name,
                last,
            )

    def _state_after(self, step: HistoryStep) -> dict[str, Any]:
        current, now, exchanges, undone = self._database.select_all(
            (_PLACES, (self._name,)),
            ("SELECT facts FROM tenants WHERE name = ?", (self._name,)),
            (_EXCHANGES_UNTIL, (self._name, step.exchange)),
            (_UNDONE, (self._name, step.number)),
        )
        facts = now[0][0]
        rows = {(part, key): (position, value) for part, key, position, value in current}
        for part, key, position, value in undone:
            if part == FACTS:
                facts = value
            elif value is None:
                rows.pop((part, key), None)
            else:
                rows[part, key] = position, value
        ordered = sorted(rows.items(), key=lambda row: row[1][0])
        found = [(part, key, from_json(value)) for (part, key), (_, value) in ordered]
        then = from_json(facts) | {"journal": {"seen": step.exchange}}
        return snapshot_of(then, found, exchanges)


def snapshot_of(facts: dict[str, Any], rows: Iterable[Row], exchanges: Found) -> dict[str, Any]:
    """The snapshot that consists of facts, rows in the order of their lists, and exchanges."""
    few = (("sandbox", "", facts["sandbox"]), ("randomness", "", facts["randomness"]))
    more = (("entity", "", facts["entity"]), ("journal", "", facts["journal"]))
    kept = ((JOURNAL, str(number), from_json(value)) for number, value in exchanges)
    return snapshot_from((*few, *more, *rows, *kept))


def _step(row: tuple[Any, ...]) -> HistoryStep:
    number, at, what, exchange = row
    return HistoryStep(
        number=number, at=dt.datetime.fromisoformat(at), what=what, exchange=exchange
    )
