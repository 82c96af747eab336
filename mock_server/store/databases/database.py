"""The database behind a store: a few statements in transactions, and nothing else.

The statements are the same for every database; ``?`` stands for a value.
"""

import contextlib
from collections.abc import Iterable
from typing import Any, Protocol

from mock_server.store.errors import StoreError

Query = tuple[str, tuple[Any, ...]]
"""A query and its values."""

Found = list[tuple[Any, ...]]
"""The rows that a query finds."""


_OF_A_STORE = frozenset({"meta", "tenants", "state"})


def check_tables(names: set[str]) -> None:
    """Let a store have an empty database, or its own.

    Raises:
        StoreError: The tables are those of something else.
    """
    if names and not names >= _OF_A_STORE:
        raise StoreError(f"not a store: it has tables of something else, such as {min(names)!r}")


class Database(Protocol):
    """What a store needs of its database."""

    name: str
    """Its name for people, without a password."""
    is_shared: bool
    """Whether other processes may use it at the same time."""
    generation: int
    """A number that changes when the database may have lost something, as after a restart."""
    table_suffix: str
    """What follows the definition of a table."""
    further: tuple[str, ...]
    """Further statements that this database needs."""
    binary: str
    """The type of a column of bytes."""
    now: str
    """The expression for the time in seconds since 1970."""
    row_lock: str
    """What follows a query whose rows no other transaction may read in this way until the end."""
    row_lock_skipping: str
    """As ``row_lock``, but rows that another transaction has locked are left out."""

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """A block whose statements take effect together, or not at all.

        Within another one of the same thread, it is part of that.

        Raises:
            StoreError: The database does not take them.
        """

    def lock_schema(self) -> None:
        """Let no other process make or change tables until the transaction ends."""

    def execute(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - numbers and texts
        """Carry out a statement, in a transaction."""

    def execute_each(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Carry out a statement for each row of values."""

    def execute_alone(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - as above
        """Carry out one statement as a transaction.

        Raises:
            StoreError: The database does not take it.
        """

    def select(self, statement: str, *values: Any) -> Found:  # noqa: ANN401 - as above
        """Return the rows that a query finds.

        Raises:
            StoreError: The database does not answer.
        """

    def select_all(self, *queries: Query) -> list[Found]:
        """Return what several queries find, one after the other, in one round trip."""

    def tables(self) -> set[str]:
        """The names of the existing tables."""

    def close(self) -> None:
        """Write what waits and release the database."""
