"""What a store knows of a sandbox: its rows now, its steps, and its rows after any of them."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from mock_server.store.database import Database
from mock_server.store.errors import HistoryError
from pytest_turris.core.changes import Row

KEPT_STEPS = 10_000
"""How many steps can be taken back; those before them are forgotten."""

_ROWS = "SELECT part, key, value FROM state WHERE tenant = ? ORDER BY part, position"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
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
    """Reads what a store has of one sandbox.

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

    @property
    def last_position(self) -> int:
        """The highest position of a row."""
        query = "SELECT MAX(position) FROM state WHERE tenant = ? AND part <> 'journal.exchanges'"
        return int(self._database.select(query, self._name)[0][0] or 0)

    def rows(self) -> list[Row]:
        """The rows as they are now, in the order of their lists; none if nothing was kept yet."""
        found = self._database.select(_ROWS, self._name)
        return [(part, key, from_json(value)) for part, key, value in found]

    def count(self) -> int:
        """How many steps are kept."""
        query = "SELECT COUNT(*) FROM steps WHERE tenant = ?"
        return int(self._database.select(query, self._name)[0][0])

    def steps(self, count: int, *, before: int | None = None) -> list[Step]:
        """The last steps, oldest first; with ``before``, the last before the one of that number."""
        found = self._database.select(
            "SELECT number, at, what, exchange FROM steps WHERE tenant = ? AND number < ? "
            "ORDER BY number DESC LIMIT ?",
            self._name,
            self.last + 1 if before is None else before,
            count,
        )
        return [_step(row) for row in reversed(found)]

    def at(self, number: int) -> tuple[Step, list[Row]]:
        """A step, and the rows after it.

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
        return step, self._rows_after(step)

    def prune(self, last: int) -> None:
        """Forget the steps up to one, in a transaction."""
        for table, column in (("undo", "step"), ("steps", "number")):
            self._database.execute(
                f"DELETE FROM {table} WHERE tenant = ? AND {column} <= ?",  # noqa: S608 - both are ours
                self._name,
                last,
            )

    def _rows_after(self, step: Step) -> list[Row]:
        rows: dict[tuple[str, str], tuple[int, str]] = {
            (part, key): (position, value)
            for part, key, position, value in self._database.select(
                "SELECT part, key, position, value FROM state WHERE tenant = ?", self._name
            )
        }
        undone = self._database.select(
            "SELECT part, key, position, value FROM undo WHERE tenant = ? AND step > ? "
            "ORDER BY step DESC",
            self._name,
            step.number,
        )
        for part, key, position, value in undone:
            if value is None:
                rows.pop((part, key), None)
            else:
                rows[part, key] = position, value
        rows["journal", ""] = 0, json.dumps({"seen": step.exchange})
        ordered = sorted(rows.items(), key=lambda row: (row[0][0], row[1][0]))
        return [
            (part, key, from_json(value))
            for (part, key), (position, value) in ordered
            if part != "journal.exchanges" or position <= step.exchange
        ]


def _step(row: tuple[Any, ...]) -> Step:
    number, at, what, exchange = row
    return Step(number=number, at=dt.datetime.fromisoformat(at), what=what, exchange=exchange)
