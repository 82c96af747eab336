"""Writes the rows of one sandbox, and their earlier values."""

from collections.abc import Iterable, Sequence

from pydantic_core import to_json

from mock_server.store.databases.database import Database
from pytest_turris.core.changes import Row

JOURNAL = "journal.exchanges"
FACTS = "facts"
"""The part of the history that has the facts of a tenant."""

ROW_PLACES = 10_000_000
"""The maximum number of new rows in a commit: their positions begin with its version."""

RowText = tuple[str, str, str | None]
"""The part and the key of a row, and its value as JSON; None if the row is gone."""

# What was gone comes back at the end of its list.
_UPSERT = """INSERT INTO state VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (tenant, part, key) DO UPDATE SET value = excluded.value,
    version = excluded.version, position = CASE WHEN state.value IS NULL
    THEN excluded.position ELSE state.position END"""
REMOVE = "DELETE FROM state WHERE tenant = ? AND part = ? AND key = ?"
ADD_UNDO = "INSERT INTO undo VALUES (?, ?, ?, ?, ?, ?)"
ADD_STEP = "INSERT INTO steps VALUES (?, ?, ?, ?, ?)"
_REMEMBER = """INSERT INTO undo VALUES (?, ?, ?, ?,
    (SELECT position FROM state WHERE tenant = ? AND part = ? AND key = ?),
    (SELECT value FROM state WHERE tenant = ? AND part = ? AND key = ?))"""
_REMEMBER_ALL = """INSERT INTO undo
    SELECT tenant, CAST(? AS BIGINT), part, key, position, value FROM state
    WHERE tenant = ? AND value IS NOT NULL"""
_REMEMBER_NEW = "INSERT INTO undo VALUES (?, ?, ?, ?, NULL, NULL) ON CONFLICT DO NOTHING"
_REMEMBER_FACTS = "INSERT INTO undo VALUES (?, ?, 'facts', '', 0, ?)"


class StateWriter:
    """Writes rows in a transaction of its caller's.

    Args:
        database: Where to.
        name: The tenant.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def write(self, version: int, texts: Iterable[RowText]) -> None:
        """Let these rows be the state; a row that exists keeps its position."""
        gone, kept = [], []
        for place, (part, key, text) in enumerate(texts, version * ROW_PLACES):
            if text is None and not self._database.is_shared:
                gone.append((self._name, part, key))
            else:  # other servers must learn that the row is gone
                kept.append((self._name, part, key, place, version, text))
        self._database.execute_each(REMOVE, gone)
        self._database.execute_each(_UPSERT, kept)

    def remember(self, step: int, texts: Iterable[RowText], facts: str) -> None:
        """Keep what these rows, and the facts, are before a step."""
        rows = ((self._name, part, key) for part, key, _ in texts)
        places = ((row[0], step, *row[1:], *row, *row) for row in rows)
        self._database.execute_each(_REMEMBER, places)
        self._database.execute(_REMEMBER_FACTS, self._name, step, facts)

    def replace(self, version: int, step: int, texts: Sequence[RowText], facts: str) -> None:
        """Let these rows be the whole state after a step, in this order."""
        self._database.execute(_REMEMBER_ALL, step, self._name)
        places = ((self._name, step, part, key) for part, key, _ in texts)
        self._database.execute_each(_REMEMBER_NEW, places)
        if facts:
            self._database.execute(_REMEMBER_FACTS, self._name, step, facts)
        further = () if self._database.is_shared else ("log",)  # of a deleted tenant of that name
        for table in ("state", "exchanges", *further):
            self._database.execute(f"DELETE FROM {table} WHERE tenant = ?", self._name)  # noqa: S608 - ours
        self.write(version, texts)

    def add_exchanges(self, rows: Iterable[Row]) -> None:
        """Write exchanges."""
        self._database.execute_each(
            "INSERT INTO exchanges VALUES (?, ?, ?)",
            ((self._name, int(key), to_json(value).decode()) for _, key, value in rows),
        )

    def forget_exchanges(self, *, before: int) -> None:
        """Remove the exchanges that the journal has dropped."""
        self._database.execute(
            "DELETE FROM exchanges WHERE tenant = ? AND number < ?", self._name, before
        )

    def forget_gone(self, *, before: int) -> None:
        """Delete the marks of rows that were removed before this version."""
        self._database.execute(
            "DELETE FROM state WHERE tenant = ? AND version < ? AND value IS NULL",
            self._name,
            before,
        )


def as_texts(rows: Iterable[Row]) -> Iterable[RowText]:
    """Return rows as JSON, without those that the facts or the journal have."""
    return (
        (part, key, None if value is None else to_json(value, by_alias=False).decode())
        for part, key, value in rows
        if (key or part not in ("sandbox", "randomness", "entity", "journal")) and part != JOURNAL
    )
