"""A store in PostgreSQL, which any number of servers have open at the same time.

PostgreSQL orders and locks: a server holds the row lock of a tenant while it answers, and all that
it changed is one transaction.
"""

import contextlib
import logging
import select
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from mock_server.store.databases.database import Found, Query
from mock_server.store.errors import StoreError
from pytest_turris.process.steady_clock import steady_time

CONNECTIONS = 8
"""How many connections a server has."""

WAIT = 20.0
"""Seconds that a request waits at most for a connection."""

STALLED = 10.0
"""After this many seconds, a transaction that waits for its server is ended by a server that waits
for its locks."""

_BOUNDS = (
    # What holds a tenant takes milliseconds. A server that stands still in between must not
    # block the others for longer than they wait.
    "-c idle_in_transaction_session_timeout=10s -c lock_timeout=20s -c statement_timeout=30s "
    # Otherwise a replica would see what it has written itself only after a while, or lose it.
    "-c default_transaction_isolation=read\\ committed"
)
_END_STALLED = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user
    AND application_name = current_setting('application_name')
    AND wait_event_type = 'Client' AND xact_start < clock_timestamp() - %s * interval '1 second'"""
_SHORTEST = 0.001
_SCHEMA_LOCK = 0x7475_7272_6973
"""The key of the advisory lock under which tables are made."""


class PostgresDatabase:
    """A database of PostgreSQL.

    Args:
        url: Its connection URL.

    Raises:
        StoreError: It cannot be reached, or the URL is not one.
    """

    is_shared: bool = True
    # Each request changes the row of its tenant; no index is on what it changes but `due`. An
    # ALTER in place of this would make psycopg forget its prepared statements in the pipeline.
    table_suffix: str = " WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)"
    further: tuple[str, ...] = (
        # Each request reads the rows of its tenant since the version that it knows.
        "CREATE INDEX state_version ON state (tenant, version)",
        "CREATE INDEX state_credential ON state (key) WHERE part LIKE 'credentials.%'",
        "CREATE INDEX tenants_due ON tenants (due) WHERE due IS NOT NULL",
    )
    binary = "BYTEA"
    now = "extract(epoch FROM clock_timestamp())::float8"
    row_lock = " FOR UPDATE"
    row_lock_skipping = " FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str) -> None:
        self.name = _without_password(url)
        self.generation = 0
        self._used = threading.local()
        # What goes wrong is said by what fails for it.
        logging.getLogger("psycopg").addHandler(logging.NullHandler())
        try:
            given: dict[str, Any] = conninfo_to_dict(url)
        except psycopg.Error:
            # Its message may have the password.
            raise StoreError(f"{self.name} is not a connection URL of PostgreSQL") from None
        given["options"] = f"{_BOUNDS} {given.get('options') or ''}"
        defaults: dict[str, Any] = {"connect_timeout": "10", "application_name": "turris-sandbox"}
        self._pool = ConnectionPool(
            make_conninfo(**defaults | given),
            min_size=CONNECTIONS,
            max_size=CONNECTIONS,
            timeout=WAIT,
            max_lifetime=float("inf"),
            reconnect_timeout=float("inf"),
            kwargs={"prepare_threshold": 0},
            configure=self._connected,
            open=False,
        )
        try:
            # One by hand: a pool would try again, and not say why it cannot.
            psycopg.connect(make_conninfo(**defaults | given)).close()
            self._pool.open(wait=True)
        except (psycopg.Error, PoolTimeout) as error:
            self._pool.close()
            raise StoreError(f"cannot open the store {self.name}: {_reason(error)}") from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """A block whose statements take effect together, or not at all."""
        if getattr(self._used, "connection", None) is not None:
            yield
            return
        connection = self._taken()
        self._used.connection = connection
        try:
            with connection.pipeline() as self._used.pipeline:
                yield
                connection.commit()
        except StoreError as error:
            self._end_stalled(connection, error.__cause__)
            raise
        except psycopg.Error as error:
            self._end_stalled(connection, error)
            raise StoreError(f"the store {self.name} cannot be used: {_reason(error)}") from error
        finally:
            self._used.connection = None
            self._give_back(connection)

    def lock_schema(self) -> None:
        """Let no other process make or change tables until the transaction ends."""
        self.execute("SELECT pg_advisory_xact_lock(?)", _SCHEMA_LOCK)

    def execute(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - as in Database
        """Carry out a statement, in a transaction."""
        self._used.connection.execute(_translated(statement), values)

    def execute_each(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Carry out a statement for each row of values."""
        connection, text = self._used.connection, _translated(statement)
        for row in rows:
            connection.execute(text, row)

    def select(self, statement: str, *values: Any) -> Found:  # noqa: ANN401 - as in Database
        """Return the rows that a query finds."""
        return self.select_all((statement, values))[0]

    def select_all(self, *queries: Query) -> list[Found]:
        """Return what several queries find, one after the other, in one round trip."""
        with self.transaction():
            connection = self._used.connection
            try:
                sent = [connection.execute(_translated(text), values) for text, values in queries]
                # From here on, PostgreSQL ends the transaction if this server stands still.
                self._used.pipeline.sync()
                return [cursor.fetchall() for cursor in sent]
            except psycopg.Error as error:
                reason = _reason(error)
                raise StoreError(f"the store {self.name} cannot be used: {reason}") from error

    def tables(self) -> set[str]:
        """The names of the tables that there are."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        return {name for (name,) in self.select(query)}

    def close(self) -> None:
        """Let go of the database."""
        self._pool.close()

    def _connected(self, connection: "psycopg.Connection[Any]") -> None:
        """Count connections: one that replaces another may be to a server that was restarted."""
        del connection
        self.generation += 1

    def _taken(self) -> "psycopg.Connection[Any]":
        """A connection that is not known to be broken."""
        end = steady_time() + WAIT
        try:
            while True:
                connection = self._pool.getconn(timeout=max(end - steady_time(), _SHORTEST))
                if not _has_news(connection):
                    return connection
                connection.close()  # nothing was asked: PostgreSQL has ended it
                self._pool.putconn(connection)
        except PoolTimeout:
            raise StoreError(
                f"the store {self.name} cannot be used: within {WAIT:g} s, none of the "
                f"{CONNECTIONS} connections was free"
            ) from None
        except PoolClosed:
            raise StoreError(f"the store {self.name} is closed") from None

    def _end_stalled(
        self, connection: "psycopg.Connection[Any]", error: BaseException | None
    ) -> None:
        """After waiting for a lock, end transactions of servers that stand still amid a pipeline.

        PostgreSQL counts them as active: no limit of its own ends them, and their locks stay.
        """
        if not isinstance(error, psycopg.errors.LockNotAvailable):
            return
        with contextlib.suppress(psycopg.Error):
            connection.rollback()
            connection.execute(_END_STALLED, [STALLED])
            connection.commit()

    def _give_back(self, connection: "psycopg.Connection[Any]") -> None:
        with contextlib.suppress(psycopg.Error):
            if not connection.closed:
                connection.rollback()
        self._pool.putconn(connection)


def _has_news(connection: "psycopg.Connection[Any]") -> bool:
    """Whether an idle connection can be read: PostgreSQL has ended it."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


@lru_cache(maxsize=256)
def _translated(statement: str) -> bytes:
    """A statement with psycopg's sign for a value."""
    return statement.replace("%", "%%").replace("?", "%s").encode()


def _without_password(url: str) -> str:
    """A connection URL as it may be shown: without its user and its parameters too."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "postgresql://..."
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _reason(error: BaseException) -> str:
    """The first line of what PostgreSQL says; it never has the password."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
