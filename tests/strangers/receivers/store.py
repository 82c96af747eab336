"""What a receiver stored, as seen from outside, and an outage of it."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_turris.process.steady_clock import steady_time


class Store:
    """The database and the inbox of a receiver.

    Args:
        folder: Where both are.
        counted: The tables whose rows are effects; all of them if empty.
    """

    def __init__(self, folder: Path, counted: Sequence[str]) -> None:
        self.database = folder / "data.db"
        self.inbox = folder / "inbox"
        self._away = folder / "away"
        self._counted = counted
        self._stuck = False

    def effects(self) -> int:
        """How many files there are in its inbox, and rows in its tables."""
        folder = self.inbox if self.inbox.exists() else self._away
        with os.scandir(folder) as files:
            return sum(1 for _ in files) + sum(self._rows())

    def wait_for(self, query: str, seconds: float = 10) -> None:
        """Wait until a query gives 0, for some seconds at most, and hardly once it is stuck."""
        end = steady_time() + (0.1 if self._stuck else seconds)
        while (left := self._select(query)[0][0]) and steady_time() < end:
            threading.Event().wait(0.005)
        self._stuck = bool(left)

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        """What it stores into fails: the tables raise an error, the folder is not there."""
        tables = self._tables()
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as db:
            for name in tables:
                db.execute(
                    f"CREATE TRIGGER outage_{name} BEFORE INSERT ON {name} "
                    "BEGIN SELECT abs(-9223372036854775807 - 1); END"
                )
            db.commit()
        self.inbox.rename(self._away)
        try:
            yield
        finally:
            self._away.rename(self.inbox)
            with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as db:
                for name in tables:
                    db.execute(f"DROP TRIGGER outage_{name}")
                db.commit()

    def _rows(self) -> Iterator[int]:
        for name in self._tables():
            yield self._select(f"SELECT count(*) FROM {name}")[0][0]  # noqa: S608 - its own table

    def _tables(self) -> Sequence[str]:
        if not self.database.exists():
            return []
        found = self._select("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in found if not name.startswith("sqlite_")]
        return [name for name in names if not self._counted or name in self._counted]

    def _select(self, query: str, seconds: float = 10) -> list[tuple[Any, ...]]:
        """What a query finds, tried again: the receiver may be in the middle of a commit.

        node-sqlite3-wasm has locks of its own, so its journal looks as if a process that died had
        left it; a reader that may write would undo the commit. One that stays is of such a process.
        """
        end = steady_time() + seconds
        while True:
            mode = "ro" if steady_time() < end else "rw"
            address = f"{self.database.as_uri()}?mode={mode}"
            try:
                with contextlib.closing(sqlite3.connect(address, timeout=10, uri=True)) as db:
                    return db.execute(query).fetchall()
            except sqlite3.OperationalError:
                if mode == "rw":
                    raise
                threading.Event().wait(0.01)
