"""A store: the sandboxes of a server, or of several, in one database."""

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic_core import from_json

from mock_server.store.databases.database import Database
from mock_server.store.databases.sqlite import SqliteDatabase
from mock_server.store.errors import StoreError
from mock_server.store.kept_sandbox import KeptSandbox, options_text
from mock_server.store.leases import LEASE_SECONDS
from mock_server.store.schema import prepare
from mock_server.store.shared_sandbox import SharedSandbox
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.option_data import options_from

FLUSH_SECONDS = 1.0
"""The longest time after an exchange at which the journal is written."""

_JOIN_SECONDS = 5.0
_POSTGRES = ("postgresql://", "postgres://")
_OF_TENANTS = ("state", "exchanges", "steps", "undo", "snapshots")
"""The tables with the data of tenants."""

_NEW = """INSERT INTO tenants VALUES (?, ?, ?, '', 0, 0, 0, NULL, {now}, ?)
    ON CONFLICT (name) DO NOTHING"""
_EXPIRED = "SELECT name FROM tenants WHERE idle_limit IS NOT NULL AND used_at + idle_limit < {now}"
_OWNER = """SELECT tenant FROM state WHERE key = ? AND part LIKE 'credentials.%'
    AND value IS NOT NULL"""


class TenantRow(NamedTuple):
    """A tenant as the store has it.

    Args:
        options: Its options.
        idle_limit: After how long without a request it is deleted.
        facts: What its requests change, as ``kept_facts`` returns it; empty at first.
        idle: For how many seconds there was no request.
    """

    options: Options
    idle_limit: dt.timedelta | None
    facts: dict[str, Any]
    idle: float


class Store:
    """Keeps sandboxes, each with its history, until ``close``.

    Args:
        database: Where to.
        log: Gets a line when the journal cannot be written.
        lease: For how many seconds a server that claimed a delivery may send it.

    Raises:
        StoreError: The database is not a store, or of a newer version.
    """

    def __init__(
        self, database: Database, log: Callable[[str], object], *, lease: float = LEASE_SECONDS
    ) -> None:
        self._database = database
        self._log = log
        self._lease = lease
        self._tenants = (
            f"SELECT name, options, idle_limit, facts, {database.now} - used_at FROM tenants"  # noqa: S608 - ours
        )
        self._owner = os.urandom(8).hex()
        self._kept: dict[str, KeptSandbox] = {}
        self._failing: set[str] = set()
        """The sandboxes whose journal could not be written the last time."""
        self._stopping = threading.Event()
        try:
            with database.transaction():
                prepare(database)
                self._is_clean = self._meta("clean") != "no"
                self._set_meta("clean", "no")
        except BaseException:
            database.close()
            raise
        self._thread = threading.Thread(target=self._run, name="turris-store", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls, place: Path | str, log: Callable[[str], object], *, lease: float = LEASE_SECONDS
    ) -> Self:
        """Open or make a file, or a database of PostgreSQL given by its connection URL.

        Args:
            place: The path or the URL.
            log: Gets a line when the journal cannot be written.
            lease: For how many seconds a server that claimed a delivery may send it.

        Raises:
            StoreError: It is not a store, of a newer version, in use, or cannot be opened.
        """
        if not str(place).startswith(_POSTGRES):
            return cls(SqliteDatabase(Path(place)), log)
        try:
            from mock_server.store.databases.postgres import PostgresDatabase  # noqa: PLC0415 - an extra
        except ImportError:
            raise StoreError(
                "PostgreSQL needs more packages: pip install 'pytest-turris[postgres]'"
            ) from None
        return cls(PostgresDatabase(str(place)), log, lease=lease)

    @property
    def place(self) -> str:
        """The name of the database for people, without a password."""
        return self._database.name

    @property
    def is_shared(self) -> bool:
        """Whether other servers use the store at the same time."""
        return self._database.is_shared

    def tenants(self) -> dict[str, TenantRow]:
        """The sandboxes that the store has, by name.

        Raises:
            StoreError: Some have options that this version does not know.
        """
        rows = self._database.select(f"{self._tenants} ORDER BY name")
        return {name: _tenant(*values) for name, *values in rows}

    def tenant(self, name: str) -> TenantRow | None:
        """The sandbox that the store has under a name, if any."""
        found = self._database.select(f"{self._tenants} WHERE name = ?", name)
        return _tenant(*found[0][1:]) if found else None

    def owners(self, credentials: Iterable[str]) -> list[str]:
        """The tenants that issued one of these credentials."""
        queries = [(_OWNER, (credential,)) for credential in credentials]
        return [name for found in self._database.select_all(*queries) for (name,) in found]

    def due(self) -> list[str]:
        """The tenants that have a webhook to send now, but for those that a server is using."""
        query = f"SELECT name FROM tenants WHERE due <= {self._database.now}"  # noqa: S608 - ours
        return [name for (name,) in self._database.select(query + self._database.row_lock_skipping)]

    def expired(self) -> list[str]:
        """The tenants that were idle for too long, on any server."""
        return [name for (name,) in self._database.select(_EXPIRED.format(now=self._database.now))]

    def attach(
        self, sandbox: Sandbox, name: str, idle_limit: dt.timedelta | None = None
    ) -> KeptSandbox:
        """Keep a sandbox from now on, and restore what the store has under that name, if anything.

        Options that were changed while it ran stay changed, unless the sandbox has others than
        the defaults. Where servers share the store, they share the options too: those of the
        first one.

        Raises:
            StoreError: The database does not take it.
            SnapshotError: What the store has cannot be read.
        """
        # In one transaction: otherwise another server could find a tenant without a state.
        with self._database.transaction():
            self._keep_options(sandbox, name, idle_limit)
            kept = self._made(sandbox, name)
        self._kept[name] = kept
        return kept

    def _made(self, sandbox: Sandbox, name: str) -> KeptSandbox:
        database = self._database
        if self.is_shared:
            return SharedSandbox(database, name, sandbox, owner=self._owner, lease=self._lease)
        return KeptSandbox(database, name, sandbox, is_clean=self._is_clean)

    @property
    def control_token(self) -> str:
        """A token for the control API, made once, so that it is the same after a restart."""
        made = f"turris_sandbox_control_{os.urandom(32).hex()}"
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO meta VALUES ('control token', ?) ON CONFLICT (name) DO NOTHING", made
            )
            return self._meta("control token")

    def kept(self, name: str) -> KeptSandbox | None:
        """The sandbox that is kept under a name."""
        return self._kept.get(name)

    def delete(self, name: str) -> None:
        """Stop keeping a sandbox, and forget it with its history and its saved snapshots."""
        self.forget(name)
        with self._database.transaction():
            # The row first: it waits for a server that uses the tenant.
            self._database.execute("DELETE FROM tenants WHERE name = ?", name)
            for table in _OF_TENANTS if self.is_shared else (*_OF_TENANTS, "log"):
                self._database.execute(f"DELETE FROM {table} WHERE tenant = ?", name)  # noqa: S608 - ours

    def forget(self, name: str) -> None:
        """Write nothing more of a sandbox."""
        if kept := self._kept.pop(name, None):
            kept.drop()

    def close(self) -> None:
        """Write what waits, and close the database.

        Raises:
            StoreError: The last lines of the journal could not be written.
        """
        self._stopping.set()
        self._thread.join(_JOIN_SECONDS)
        try:
            failures = [error for kept in tuple(self._kept.values()) if (error := _detached(kept))]
            if failures:
                raise failures[0]
            if not self.is_shared:
                with self._database.transaction():
                    self._set_meta("clean", "yes")
        finally:
            self._database.close()

    def _keep_options(self, sandbox: Sandbox, name: str, idle_limit: dt.timedelta | None) -> None:
        given = options_text(sandbox)
        seconds = idle_limit.total_seconds() if idle_limit is not None else None
        new = _NEW.format(now=self._database.now)
        self._database.execute(new, name, given, given, seconds)
        query = "SELECT options, started FROM tenants WHERE name = ?"
        now, started = (from_json(text) for text in self._database.select(query, name)[0])
        values = from_json(given)
        if self.is_shared:
            values = now
        else:
            changed = {key for key in now.keys() | started if now.get(key) != started.get(key)}
            values |= {key: now[key] for key in changed & now.keys() if key not in values}
        sandbox.change_options(options_from(values))
        if not self.is_shared:
            self._database.execute(
                "UPDATE tenants SET options = ?, started = ? WHERE name = ?",
                options_text(sandbox),
                given,
                name,
            )

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            for kept in tuple(self._kept.values()):
                if kept.is_unwritten:
                    self._flush(kept)

    def _flush(self, kept: KeptSandbox) -> None:
        try:
            kept.flush()
        except StoreError as error:
            self._note_failure(kept, str(error))
        except Exception as error:  # noqa: BLE001 - the thread goes on for the other sandboxes
            self._note_failure(kept, f"{error!r} (a bug in the sandbox; please report it)")
        else:
            self._failing.discard(kept.name)

    def _note_failure(self, kept: KeptSandbox, reason: str) -> None:
        """Log why a journal could not be written, once until it is written again."""
        if kept.name not in self._failing:
            self._failing.add(kept.name)
            self._log(f"cannot write the journal: {reason}; it is tried again each second")

    def _meta(self, name: str) -> str:
        found = self._database.select("SELECT value FROM meta WHERE name = ?", name)
        return str(found[0][0]) if found else ""

    def _set_meta(self, name: str, value: str) -> None:
        self._database.execute(
            "INSERT INTO meta VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value,
        )


def _tenant(options: str, limit: float | None, facts: str, idle: float) -> TenantRow:
    return TenantRow(
        options=options_from(from_json(options)),
        idle_limit=dt.timedelta(seconds=limit) if limit is not None else None,
        facts=from_json(facts) if facts else {},
        idle=max(idle, 0.0),
    )


def _detached(kept: KeptSandbox) -> StoreError | None:
    """Why the last lines of a sandbox's journal could not be written; the others' can be."""
    try:
        kept.detach()
    except StoreError as error:
        return error
    return None
