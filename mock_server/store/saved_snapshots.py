"""The snapshots of one sandbox that are kept under names."""

from mock_server.store.databases.database import Database

_SAVE = """INSERT INTO snapshots VALUES (?, ?, ?, ?) ON CONFLICT (tenant, name)
    DO UPDATE SET at = excluded.at, packed = excluded.packed"""
_SAVED = "SELECT name, at, packed FROM snapshots WHERE tenant = ? ORDER BY at, name"
_FORGET = "DELETE FROM snapshots WHERE tenant = ? AND name = ?"


class SavedSnapshots:
    """Keeps snapshots by name; that of the start has an empty one.

    Args:
        database: Where to.
        tenant: Whose they are.
    """

    def __init__(self, database: Database, tenant: str) -> None:
        self._database = database
        self._tenant = tenant

    def save(self, name: str, at: str, packed: bytes) -> None:
        """Keep one, in place of an earlier one of that name."""
        self._database.execute_alone(_SAVE, self._tenant, name, at, packed)

    def read(self) -> list[tuple[str, str, bytes]]:
        """Their names, moments and contents, oldest first."""
        found = self._database.select(_SAVED, self._tenant)
        return [(name, at, bytes(packed)) for name, at, packed in found]

    def forget(self, name: str) -> None:
        """Forget one."""
        self._database.execute_alone(_FORGET, self._tenant, name)
