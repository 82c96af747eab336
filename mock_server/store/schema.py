"""The tables of a store, and their version."""

import json
from collections.abc import Callable

from mock_server.store.databases.database import Database, check_tables
from mock_server.store.errors import StoreError

SCHEMA_VERSION = 3

_FEW = ("sandbox", "randomness", "entity")
"""The parts that version 1 kept as rows of their own, and version 2 as facts of the tenant."""

_TENANTS = """CREATE TABLE tenants (
        name TEXT PRIMARY KEY, options TEXT NOT NULL, started TEXT NOT NULL, facts TEXT NOT NULL,
        version BIGINT NOT NULL, whole BIGINT NOT NULL, step BIGINT NOT NULL,
        due DOUBLE PRECISION, used_at DOUBLE PRECISION NOT NULL, idle_limit DOUBLE PRECISION
    )"""
_STATE = """CREATE TABLE state (
        tenant TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
        position BIGINT NOT NULL, version BIGINT NOT NULL, value TEXT,
        PRIMARY KEY (tenant, part, key)
    )"""
_EXCHANGES = """CREATE TABLE exchanges (
        tenant TEXT NOT NULL, number BIGINT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (tenant, number)
    )"""
_SNAPSHOTS = """CREATE TABLE snapshots (
        tenant TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL, packed BINARY NOT NULL,
        PRIMARY KEY (tenant, name)
    )"""

_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # `options` are JSON: as they are, and as they were when the server last started. `facts` are
    # what changes with each request. Each commit has a `version`; that of the last one that
    # replaced the whole state is `whole`. `due`: when a webhook is to be sent; all times are
    # seconds on the database's clock.
    _TENANTS,
    # The state as it is now. Rows of one part are in the order of their positions; without a value
    # a row is gone.
    _STATE,
    # The journal.
    _EXCHANGES,
    # `exchange` is the number of the journal's last exchange at that step.
    """CREATE TABLE steps (
        tenant TEXT NOT NULL, number BIGINT NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL,
        exchange BIGINT NOT NULL,
        PRIMARY KEY (tenant, number)
    )""",
    # What each row was before a step; without a value, the step made the row.
    """CREATE TABLE undo (
        tenant TEXT NOT NULL, step BIGINT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
        position BIGINT, value TEXT,
        PRIMARY KEY (tenant, step, part, key)
    )""",
    # Saved states by name; the state of the start has an empty one.
    _SNAPSHOTS,
)


def prepare(database: Database) -> None:
    """Make the tables of a new store, or bring an existing one to this version, in a transaction.

    Raises:
        StoreError: It is of a newer version, or not a store.
    """
    database.lock_schema()
    tables = database.tables()
    if not tables:
        for table in _TABLES:
            _make(database, table)
        for statement in database.further:
            database.execute(statement)
        database.execute("INSERT INTO meta VALUES ('schema', ?)", str(SCHEMA_VERSION))
        return
    check_tables(tables)
    version = int(database.select("SELECT value FROM meta WHERE name = 'schema'")[0][0])
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the store is of version {version}, from a newer pytest-turris; this one reads "
            f"{SCHEMA_VERSION}. Fix: install the version that wrote it, or a later one"
        )
    for old in range(version, SCHEMA_VERSION):
        _MIGRATIONS[old](database)
    if version < SCHEMA_VERSION:
        database.execute("UPDATE meta SET value = ? WHERE name = 'schema'", str(SCHEMA_VERSION))


def _make(database: Database, table: str) -> None:
    database.execute(table.replace(" BINARY ", f" {database.binary} ") + database.table_suffix)


def _to_version_2(database: Database) -> None:
    """The journal in a table of its own, and what changes often in the row of its tenant."""
    for name in ("tenants", "state"):
        database.execute(f"ALTER TABLE {name} RENAME TO {name}_1")
    database.execute("DROP TABLE snapshots")  # nothing was in it
    for table in (_TENANTS, _STATE, _EXCHANGES, _SNAPSHOTS):
        _make(database, table)
    database.execute(
        "INSERT INTO exchanges SELECT tenant, position, value FROM state_1 "
        "WHERE part = 'journal.exchanges'"
    )
    database.execute(
        "INSERT INTO state SELECT tenant, part, key, position, 1, value FROM state_1 "
        "WHERE part <> 'journal.exchanges' AND (key <> '' OR part NOT IN ('sandbox', "
        "'randomness', 'entity', 'journal'))"
    )
    for name, options in database.select("SELECT name, options FROM tenants_1"):
        step = database.select("SELECT MAX(number) FROM steps WHERE tenant = ?", name)[0][0] or 0
        database.execute(
            f"INSERT INTO tenants VALUES (?, ?, ?, ?, 1, 1, ?, NULL, {database.now}, NULL)",  # noqa: S608 - ours
            *(name, options, options, _facts_of_version_1(database, name), step),
        )
    for name in ("tenants_1", "state_1"):
        database.execute(f"DROP TABLE {name}")


def _facts_of_version_1(database: Database, name: str) -> str:
    """The facts of a tenant now; its history then has what they were before each step."""
    query = "SELECT part, value FROM state_1 WHERE tenant = ? AND key = ''"
    facts = {part: json.loads(value) for part, value in database.select(query, name)}
    facts = {part: facts[part] for part in (*_FEW, "journal") if part in facts}
    before = dict(facts)
    undone = database.select(
        "SELECT step, part, value FROM undo WHERE tenant = ? AND key = '' AND value IS NOT NULL "
        "AND part IN ('sandbox', 'randomness', 'entity') ORDER BY step DESC",
        name,
    )
    for step in sorted({row[0] for row in undone}, reverse=True):
        before |= {part: json.loads(value) for at, part, value in undone if at == step}
        database.execute(
            "INSERT INTO undo VALUES (?, ?, 'facts', '', 0, ?)", name, step, json.dumps(before)
        )
    database.execute(
        "DELETE FROM undo WHERE tenant = ? AND key = '' "
        "AND part IN ('sandbox', 'randomness', 'entity')",
        name,
    )
    return json.dumps(facts) if facts else ""


def _to_version_3(database: Database) -> None:
    """A log of steps, where only this server uses the store."""
    if not database.is_shared:
        for statement in database.further:
            database.execute(statement)


_MIGRATIONS: dict[int, Callable[[Database], None]] = {1: _to_version_2, 2: _to_version_3}
