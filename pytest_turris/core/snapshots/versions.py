"""The versions of the snapshot format. An older snapshot is migrated; a newer one is refused."""

from typing import Any

from pytest_turris.core.snapshots.errors import SnapshotError

SNAPSHOT_VERSION = 2


def migrated(snapshot: object) -> dict[str, Any]:
    """Return a snapshot in today's format; the given one stays as it is.

    Raises:
        SnapshotError: It is not a snapshot, or one of an unknown version.
    """
    if not isinstance(snapshot, dict) or "version" not in snapshot:
        raise SnapshotError("not a snapshot: there is no member 'version'")
    version = snapshot["version"]
    if type(version) is not int or version < 1:
        raise SnapshotError(f"not a snapshot: the version is {str(version)[:20]!r}")
    if version > SNAPSHOT_VERSION:
        raise SnapshotError(
            f"a snapshot of version {version}, from a newer pytest-turris; this one reads "
            f"1 to {SNAPSHOT_VERSION}. Fix: install the version that wrote it, or a later one"
        )
    return _from_1(snapshot) if version == 1 else snapshot


def _from_1(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Version 2 counts attempts to deliver webhooks, and faults, that are no longer kept."""
    outbox = snapshot.get("outbox")
    if isinstance(outbox, dict) and isinstance(outbox.get("attempts"), list):
        outbox = outbox | {"attempted": len(outbox["attempts"])}
    faults = snapshot.get("faults")
    rows = [row for row in faults if isinstance(row, dict)] if isinstance(faults, list) else []
    made = max((row.get("number", 0) for row in rows), default=0)
    return snapshot | {"version": SNAPSHOT_VERSION, "outbox": outbox, "faults_made": made}
