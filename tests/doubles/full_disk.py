"""A store on a disk that is full while a test says so."""

import contextlib
from collections.abc import Iterator
from typing import Any

from mock_server.store.databases.sqlite import SqliteDatabase
from mock_server.store.errors import StoreError


class FullDisk(SqliteDatabase):
    """A database that takes nothing while ``is_full`` is set."""

    is_full: bool = False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """As the real one; on a full disk it fails at its end."""
        with super().transaction():
            yield
            self._check()

    def execute_alone(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - as the real one
        """As the real one; it fails on a full disk."""
        self._check()
        super().execute_alone(statement, *values)

    def _check(self) -> None:
        if self.is_full:
            raise StoreError("database or disk is full")
