"""The steps of one sandbox that are committed, and not yet in the other tables.

A commit of a file waits for as many pages as it changes, and a step changes many: the rows, what
they were before, the facts. So a commit adds one row to a log, and the steps of a second are
carried over into the tables together.
"""

import threading
from collections import deque
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from mock_server.store.databases.database import Database
from mock_server.store.writing import ADD_STEP, ADD_UNDO, FACTS, REMOVE, ROW_PLACES, RowText

_LOG = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_LOGGED = """SELECT number, version, at, what, exchange, facts, changed FROM log
    WHERE tenant = ? AND number > (SELECT step FROM tenants WHERE name = ? AND facts <> '')
    ORDER BY number"""
_FORGET = "DELETE FROM log WHERE tenant = ? AND number <= ?"
_FACTS = "SELECT facts FROM tenants WHERE name = ?"
_UPDATE = "UPDATE tenants SET facts = ?, version = ?, step = ? WHERE name = ?"
_ROW = """SELECT position, version, value FROM state
    WHERE tenant = ? AND part = ? AND key = ?"""
_REPLACE = "REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?)"

_Row = tuple[int | None, int, str | None]
"""A position, a version and a value; without a value the row is gone."""

_NO_ROW: _Row = (None, 0, None)


class LoggedStep(NamedTuple):
    """One step.

    Args:
        number: Its number.
        version: That of its commit.
        at: The moment on the sandbox's clock, in ISO 8601.
        what: What it was, redacted.
        exchange: The number of the journal's newest exchange at that moment.
        facts: The facts after it, as JSON.
        changed: The rows that it changed.
    """

    number: int
    version: int
    at: str
    what: str
    exchange: int
    facts: str
    changed: list[RowText]


class StepLog:
    """Keeps steps until they are carried over.

    Args:
        database: Where to.
        name: The tenant.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._steps = deque(map(_read, database.select(_LOGGED, name, name)))
        """What the table has."""
        self._carrying = threading.Lock()

    def __len__(self) -> int:
        return len(self._steps)

    def write(self, step: LoggedStep) -> None:
        """Write a step."""
        *values, changed = step
        self._database.execute_alone(_LOG, self._name, *values, to_json(changed).decode())

    def add(self, step: LoggedStep) -> None:
        """Note that the transaction with a step is committed."""
        self._steps.append(step)

    def carry_over(self) -> None:
        """Let the other tables have what the log has."""
        with self._carrying:
            steps = list(self._steps)
            if steps:
                with self._database.transaction():
                    found = self._database.select(_FACTS, self._name)
                    if found:  # else it was deleted a moment ago
                        self._carry(steps, found[0][0])
            for _ in steps:
                self._steps.popleft()

    def _carry(self, steps: list[LoggedStep], facts: str) -> None:
        database, name, last = self._database, self._name, steps[-1]
        rows: dict[tuple[str, str], _Row] = {}
        database.execute_each(ADD_UNDO, self._undone(steps, facts, rows))
        database.execute_each(ADD_STEP, [(name, s.number, s.at, s.what, s.exchange) for s in steps])
        gone = [(name, *place) for place, row in rows.items() if row is _NO_ROW]
        database.execute_each(REMOVE, gone)
        kept = [(name, *place, *row) for place, row in rows.items() if row is not _NO_ROW]
        database.execute_each(_REPLACE, kept)
        database.execute(_UPDATE, last.facts, last.version, last.number, name)
        database.execute(_FORGET, name, last.number)

    def _undone(
        self, steps: list[LoggedStep], facts: str, rows: dict[tuple[str, str], _Row]
    ) -> list[tuple[Any, ...]]:
        """What was before each step; ``rows`` gets what is after the last one."""
        name, undone = self._name, list[tuple[Any, ...]]()
        for step in steps:
            undone.append((name, step.number, FACTS, "", 0, facts))
            facts = step.facts
            for place, (part, key, text) in enumerate(step.changed, step.version * ROW_PLACES):
                position, _, before = rows.get((part, key)) or self._row(part, key)
                undone.append((name, step.number, part, key, position, before))
                position = place if position is None else position
                rows[part, key] = _NO_ROW if text is None else (position, step.version, text)
        return undone

    def _row(self, part: str, key: str) -> _Row:
        """A row of the state."""
        found = self._database.select(_ROW, self._name, part, key)
        return found[0] if found else _NO_ROW


def _read(row: tuple[Any, ...]) -> LoggedStep:
    return LoggedStep._make((*row[:-1], [tuple(changed) for changed in from_json(row[-1])]))
