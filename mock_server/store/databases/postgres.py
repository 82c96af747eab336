"""A store in PostgreSQL, which any number of servers have open at the same time.

PostgreSQL orders and locks: a server holds the row lock of a tenant while it answers, and all that
it changed is one transaction.
"""

import contextlib
import logging
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from mock_server.store.databases.conversation import Conversation
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
    # A tenant is held for milliseconds. A server that stalls meanwhile must not
    # block the others for longer than they wait.
    "-c idle_in_transaction_session_timeout=10s -c lock_timeout=15s -c statement_timeout=20s "
    # Otherwise a replica would see what it has written itself only after a while, or lose it.
    "-c default_transaction_isolation=read\\ committed"
)
_ENCODINGS = frozenset({"UTF8", "SQL_ASCII"})
"""Encodings that can hold every text; a database with ``SQL_ASCII`` keeps bytes as they are."""

_END_STALLED = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user
    AND application_name = current_setting('application_name')
    AND wait_event_type = 'Client'
    AND xact_start < clock_timestamp() - CAST(? AS float8) * interval '1 second'"""
_BEGIN: Query = ("BEGIN", ())
_COMMIT: Query = ("COMMIT", ())
_ROLLBACK: Query = ("ROLLBACK", ())
_SHORTEST = 0.001
_SCHEMA_LOCK = 0x7475_7272_6973
"""The key of the advisory lock under which tables are made."""


class PostgresDatabase:
    """A database of PostgreSQL.

    Args:
        url: Its connection URL.

    Raises:
        StoreError: It cannot be reached, it cannot hold every text, or the URL is not one.
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
        # The operations that fail report what is wrong.
        logging.getLogger("psycopg").addHandler(logging.NullHandler())
        try:
            given: dict[str, Any] = conninfo_to_dict(url)
        except psycopg.Error:
            # Its message may have the password.
            raise StoreError(f"{self.name} is not a connection URL of PostgreSQL") from None
        given["options"] = f"{_BOUNDS} {given.get('options') or ''}"
        given["client_encoding"] = "UTF8"
        defaults: dict[str, Any] = {"connect_timeout": "10", "application_name": "turris-sandbox"}
        self._pool: ConnectionPool[Conversation] = ConnectionPool(
            make_conninfo(**defaults | given),
            connection_class=Conversation,
            min_size=CONNECTIONS,
            max_size=CONNECTIONS,
            timeout=WAIT,
            max_lifetime=float("inf"),
            reconnect_timeout=float("inf"),
            configure=self._connected,
            open=False,
        )
        try:
            # The first one without the pool, which would try again and not say why it cannot
            # connect.
            with psycopg.connect(make_conninfo(**defaults | given)) as connection:
                self._require_encoding(connection.info.parameter_status("server_encoding"))
            self._pool.open(wait=True)
        except (psycopg.Error, PoolTimeout) as error:
            self._pool.close()
            raise StoreError(f"cannot open the store {self.name}: {_reason(error)}") from None

    def _require_encoding(self, encoding: str | None) -> None:
        if encoding not in _ENCODINGS:
            raise StoreError(
                f"cannot open the store {self.name}: its encoding is {encoding}, which cannot "
                "hold every text. Fix: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
            )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """A block whose statements take effect together, or not at all."""
        if self._connection is not None:
            yield
            return
        connection = self._used.connection = self._taken()
        self._used.unsaid = [_BEGIN]
        try:
            yield
            self._say(_COMMIT)
        finally:
            self._used.connection = None
            self._give_back(connection)

    def lock_schema(self) -> None:
        """Let no other process make or change tables until the transaction ends."""
        self.execute("SELECT pg_advisory_xact_lock(?)", _SCHEMA_LOCK)

    def execute(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - as in Database
        """Carry out a statement, in a transaction; it is sent with the next query or the end."""
        self._used.unsaid.append((statement, values))

    def execute_each(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Carry out a statement for each row of values."""
        self._used.unsaid.extend((statement, row) for row in rows)

    def execute_alone(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - as in Database
        """Carry out one statement as a transaction."""
        with self.transaction():
            self.execute(statement, *values)

    def select(self, statement: str, *values: Any) -> Found:  # noqa: ANN401 - as in Database
        """Return the rows that a query finds."""
        return self.select_all((statement, values))[0]

    def select_all(self, *queries: Query) -> list[Found]:
        """Return what several queries find, one after the other, in one round trip."""
        with self.transaction():
            return self._say(*queries)

    def tables(self) -> set[str]:
        """The names of the existing tables."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        return {name for (name,) in self.select(query)}

    def close(self) -> None:
        """Release the database."""
        self._pool.close()

    def _connected(self, connection: Conversation) -> None:
        """Count connections: a new one may be to a server that was restarted."""
        connection.begin()
        self.generation += 1

    @property
    def _connection(self) -> Conversation | None:
        """The connection of the transaction that this thread is in."""
        found: Conversation | None = getattr(self._used, "connection", None)
        return found

    def _say(self, *queries: Query) -> list[Found]:
        """Carry out what waits and these; return what these find.

        After each, PostgreSQL ends the transaction if this server stalls.
        """
        connection, unsaid = self._used.connection, self._used.unsaid
        self._used.unsaid = []
        try:
            found: list[Found] = connection.say((*unsaid, *queries))
        except psycopg.Error as error:
            self._end_stalled(connection, error)
            raise StoreError(f"the store {self.name} cannot be used: {_reason(error)}") from error
        return found[len(unsaid) :]

    def _taken(self) -> Conversation:
        """A connection that is not known to be broken."""
        end = steady_time() + WAIT
        try:
            while True:
                connection = self._pool.getconn(timeout=max(end - steady_time(), _SHORTEST))
                if not connection.has_news:
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

    def _end_stalled(self, connection: Conversation, error: psycopg.Error) -> None:
        """After waiting for a lock, end transactions of servers that stalled within a pipeline.

        PostgreSQL counts them as active: no limit of its own ends them, and their locks stay.
        """
        if isinstance(error, psycopg.errors.LockNotAvailable):
            with contextlib.suppress(psycopg.Error):
                connection.say((_ROLLBACK, (_END_STALLED, (STALLED,))))

    def _give_back(self, connection: Conversation) -> None:
        with contextlib.suppress(psycopg.Error):
            if connection.is_in_transaction:
                connection.say((_ROLLBACK,))
        self._pool.putconn(connection)


def _without_password(url: str) -> str:
    """A connection URL without its password, user and parameters."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "postgresql://..."
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _reason(error: BaseException) -> str:
    """The first line of what PostgreSQL says; it never has the password."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
