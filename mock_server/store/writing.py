"""Writes the rows of one sandbox, and what they were before."""

from collections.abc import Iterable

from pydantic_core import to_json

from mock_server.store.database import Database
from pytest_turris.core.changes import Row

JOURNAL = "journal.exchanges"

Text = tuple[str, str, str | None]
"""The part and the key of a row, and its value as JSON; None if the row is gone."""

_UPSERT = """INSERT INTO state VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (tenant, part, key) DO UPDATE SET value = excluded.value"""
_DELETE = "DELETE FROM state WHERE tenant = ? AND part = ? AND key = ?"
_REMEMBER = """INSERT INTO undo
    SELECT now.tenant, now.step, now.part, now.key, old.position, old.value
    FROM (SELECT ? AS tenant, ? AS step, ? AS part, ? AS key) AS now
    LEFT JOIN state AS old
    ON old.tenant = now.tenant AND old.part = now.part AND old.key = now.key"""
_REMEMBER_ALL = """INSERT INTO undo
    SELECT tenant, ?, part, key, position, value FROM state
    WHERE tenant = ? AND part NOT LIKE 'journal%'"""
_REMEMBER_NEW = "INSERT INTO undo VALUES (?, ?, ?, ?, NULL, NULL) ON CONFLICT DO NOTHING"


class StateWriter:
    """Writes rows in a transaction of its caller's.

    Args:
        database: Where to.
        name: The tenant.
        position: The highest position of a row.
    """

    def __init__(self, database: Database, name: str, position: int) -> None:
        self._database = database
        self._name = name
        self._position = position
        self._texts: dict[str, str | None] = {}

    def changed(self, rows: Iterable[Row]) -> list[Text]:
        """The rows as JSON, without those of an empty key that are as they were."""
        texts = [(part, key, _text(value)) for part, key, value in rows]
        found = [row for row in texts if row[1] or self._texts.get(row[0]) != row[2]]
        self._texts |= {part: text for part, key, text in found if not key}
        return found

    def write(self, texts: Iterable[Text]) -> None:
        """Let these rows be the state; a row that exists keeps its position."""
        gone, kept = [], []
        for part, key, text in texts:
            if text is None:
                gone.append((self._name, part, key))
            else:
                kept.append((self._name, part, key, self._next_position(part, key), text))
        self._database.execute_each(_DELETE, gone)
        self._database.execute_each(_UPSERT, kept)

    def remember(self, step: int, texts: Iterable[Text]) -> None:
        """Keep what these rows are before a step."""
        places = ((self._name, step, part, key) for part, key, _ in texts)
        self._database.execute_each(_REMEMBER, places)

    def replace(self, step: int, rows: Iterable[Row]) -> set[str]:
        """Let these rows be the whole state after a step, in this order; return their parts."""
        self._texts = {}
        texts = self.changed(rows)
        own = [(part, key) for part, key, _ in texts if not part.startswith("journal")]
        self._database.execute(_REMEMBER_ALL, step, self._name)
        places = ((self._name, step, part, key) for part, key in own)
        self._database.execute_each(_REMEMBER_NEW, places)
        self._database.execute("DELETE FROM state WHERE tenant = ?", self._name)
        self.write(texts)
        return {part for part, _ in own}

    def forget_exchanges(self, *, before: int) -> None:
        """Remove the exchanges that the journal has dropped."""
        self._database.execute(
            "DELETE FROM state WHERE tenant = ? AND part = ? AND position < ?",
            self._name,
            JOURNAL,
            before,
        )

    def _next_position(self, part: str, key: str) -> int:
        if part == JOURNAL:
            return int(key)
        self._position += 1
        return self._position


def _text(value: object) -> str | None:
    return None if value is None else to_json(value).decode()
