"""The tables of a store, and their version."""

from mock_server.store.database import Database
from mock_server.store.errors import StoreError

SCHEMA_VERSION = 1

_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # `options` are JSON.
    "CREATE TABLE tenants (name TEXT PRIMARY KEY, options TEXT NOT NULL)",
    # The state as it is now. Rows of one part are in the order of their positions.
    """CREATE TABLE state (
        tenant TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
        position BIGINT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (tenant, part, key)
    )""",
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
    """CREATE TABLE snapshots (
        tenant TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (tenant, name)
    )""",
)


def prepare(database: Database) -> None:
    """Make the tables of a new store, or check the version of an existing one.

    Raises:
        StoreError: It is of a newer version, or not a store.
    """
    tables = database.tables()
    if not tables:
        for table in _TABLES:
            database.execute(table + database.table_suffix)
        database.execute("INSERT INTO meta VALUES ('schema', ?)", str(SCHEMA_VERSION))
        return
    if not {"meta", "tenants", "state"} <= tables:
        raise StoreError(f"not a store: it has tables of something else, such as {min(tables)!r}")
    version = int(database.select("SELECT value FROM meta WHERE name = 'schema'")[0][0])
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the store is of version {version}, from a newer pytest-turris; this one reads "
            f"{SCHEMA_VERSION}. Fix: install the version that wrote it, or a later one"
        )
