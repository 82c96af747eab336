"""A store: the sandboxes of a server in one database."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from pydantic_core import from_json, to_json

from mock_server.store.database import Database, SqliteDatabase
from mock_server.store.errors import StoreError
from mock_server.store.kept_sandbox import KeptSandbox
from mock_server.store.schema import prepare
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.option_data import data_of, options_from

FLUSH_SECONDS = 1.0
"""How long after an exchange the journal is written, at most."""

_JOIN_SECONDS = 5.0


class Store:
    """Keeps sandboxes, each with its history, until ``close``.

    Args:
        database: Where to.
        log: Gets a line when the journal cannot be written.

    Raises:
        StoreError: The database is not a store, or of a newer version.
    """

    def __init__(self, database: Database, log: Callable[[str], object]) -> None:
        self._database = database
        self._log = log
        self._kept: dict[str, KeptSandbox] = {}
        self._is_failing = False
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
    def open(cls, path: Path, log: Callable[[str], object]) -> Self:
        """Open or make a file.

        Raises:
            StoreError: It is not a store, of a newer version, in use, or cannot be opened.
        """
        return cls(SqliteDatabase(path), log)

    def tenants(self) -> dict[str, Options]:
        """The sandboxes that the store has, by name, with their options.

        Raises:
            StoreError: Some have options that this version does not know.
        """
        rows = self._database.select("SELECT name, options FROM tenants ORDER BY name")
        return {name: options_from(from_json(options)) for name, options in rows}

    def attach(self, sandbox: Sandbox, name: str) -> KeptSandbox:
        """Keep a sandbox from now on; it becomes what the store has under that name, if anything.

        The options stay those of the sandbox.

        Raises:
            StoreError: The database does not take it.
            SnapshotError: What the store has cannot be read.
        """
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO tenants VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET options = excluded.options",
                name,
                to_json(data_of(sandbox.options, with_secrets=True)).decode(),
            )
        kept = KeptSandbox(self._database, name, sandbox, is_clean=self._is_clean)
        self._kept[name] = kept
        return kept

    @property
    def control_token(self) -> str:
        """A token for the control API, made once, so that it is the same after a restart."""
        with self._database.transaction():
            if not self._meta("control token"):
                self._set_meta("control token", f"turris_sandbox_control_{os.urandom(32).hex()}")
            return self._meta("control token")

    def kept(self, name: str) -> KeptSandbox | None:
        """The sandbox that is kept under a name."""
        return self._kept.get(name)

    def delete(self, name: str) -> None:
        """Keep a sandbox no longer, and forget it with its history and its saved snapshots."""
        if kept := self._kept.pop(name, None):
            kept.detach()
        with self._database.transaction():
            for table in ("state", "steps", "undo", "snapshots"):
                self._database.execute(f"DELETE FROM {table} WHERE tenant = ?", name)  # noqa: S608 - ours
            self._database.execute("DELETE FROM tenants WHERE name = ?", name)

    def close(self) -> None:
        """Write what waits, and close the database.

        Raises:
            StoreError: The last lines of the journal could not be written.
        """
        self._stopping.set()
        self._thread.join(_JOIN_SECONDS)
        try:
            for kept in tuple(self._kept.values()):
                kept.detach()
            with self._database.transaction():
                self._set_meta("clean", "yes")
        finally:
            self._database.close()

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            for kept in tuple(self._kept.values()):
                self._flush(kept)

    def _flush(self, kept: KeptSandbox) -> None:
        try:
            kept.flush()
            self._is_failing = False
        except StoreError as error:
            if not self._is_failing:
                self._log(f"cannot write the journal: {error}")
            self._is_failing = True

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
