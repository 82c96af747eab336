"""A store in a file: SQLite of the standard library."""

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mock_server.store.databases.database import Found, Query, check_tables
from mock_server.store.errors import StoreError


class SqliteDatabase:
    """A file of SQLite, which one process has open.

    It is written ahead (WAL) with ``synchronous=NORMAL``: a commit is a write to the log, which the
    operating system keeps when the process is killed at any moment. Only a crash of the machine
    itself can lose the last commits; the file stays whole then too. ``FULL`` would make each write
    wait for the disk, ten to a hundred times as long, to keep fakes through a power failure.

    Args:
        path: The file; it is made with mode 0600.

    Raises:
        StoreError: It is not such a file, in use, or cannot be opened.
    """

    is_shared: bool = False
    generation: int = 0
    table_suffix = " WITHOUT ROWID"
    """Rows are kept by their primary key alone, so that a commit writes half as many pages."""
    further: tuple[str, ...] = (
        # Steps that the other tables do not have yet. It has no key: a step is added at the end, so
        # that a commit writes one page, or a few.
        """CREATE TABLE log (
            tenant TEXT NOT NULL, number BIGINT NOT NULL, version BIGINT NOT NULL,
            at TEXT NOT NULL, what TEXT NOT NULL, exchange BIGINT NOT NULL, facts TEXT NOT NULL,
            changed TEXT NOT NULL
        )""",
    )
    binary = "BLOB"
    now = "((julianday('now') - 2440587.5) * 86400.0)"
    row_lock = row_lock_skipping = ""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._lock = threading.RLock()
        self._is_open = False
        try:
            # SQLite gives its further files the mode of this one.
            _make_file(path)
            self._connection = sqlite3.connect(
                path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=64
            )
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreError(f"cannot open the store {path}: {reason}") from None
        try:
            check_tables(self.tables())  # nothing of another program's file is changed
            path.chmod(0o600)
            # Exclusive: a second process is refused, and no memory is shared between processes.
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._connection.close()
            raise StoreError(self._explained(error)) from None
        except StoreError:
            self._connection.close()
            raise
        except OSError as error:
            self._connection.close()
            raise StoreError(f"cannot open the store {path}: {error.strerror}") from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """A block whose statements take effect together, or not at all."""
        with self._lock:
            if self._is_open:
                yield
                return
            self._is_open = True
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise StoreError(self._explained(error)) from error
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._is_open = False

    def lock_schema(self) -> None:
        """No other process has the file open."""

    def execute(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - as in Database
        """Carry out a statement, in a transaction."""
        self._connection.execute(statement, values)

    def execute_each(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Carry out a statement for each row of values."""
        self._connection.executemany(statement, rows)

    def execute_alone(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - as in Database
        """Carry out one statement as a transaction."""
        with self._lock:
            try:
                self._connection.execute(statement, values)
            except sqlite3.Error as error:
                raise StoreError(self._explained(error)) from error

    def select(self, statement: str, *values: Any) -> Found:  # noqa: ANN401 - as in Database
        """Return the rows that a query finds."""
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(self._explained(error)) from error

    def select_all(self, *queries: Query) -> list[Found]:
        """Return what several queries find."""
        return [self.select(statement, *values) for statement, values in queries]

    def tables(self) -> set[str]:
        """The names of the existing tables."""
        return {name for (name,) in self.select("SELECT name FROM sqlite_master")}

    def close(self) -> None:
        """Move the log into the file and close it."""
        with self._lock:
            self._connection.close()

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _explained(self, error: sqlite3.Error) -> str:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
            return f"the store {self._path} is open in another process: stop that one first"
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB:
            return f"{self._path} is not a store: it is not a file of SQLite"
        return f"the store {self._path} cannot be used: {error}"


def _make_file(path: Path) -> None:
    """Make a file if there is none.

    Raises:
        OSError: It cannot be opened, or is something else, such as a device, whose mode and content
            are not those of a store.
    """
    # A pipe, or a device that is not ready, is not waited for.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
    finally:
        os.close(descriptor)
