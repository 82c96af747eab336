"""A snapshot made of rows: the inverse of what a store takes from a sandbox, row by row."""

from collections.abc import Iterable
from typing import Any

from pytest_turris.core.changes import Row
from pytest_turris.core.entity.records import COLLECTIONS
from pytest_turris.core.snapshots.versions import SNAPSHOT_VERSION

_WHOLE = ("randomness", "faults")
"""The parts that are one row."""


def snapshot_from(rows: Iterable[Row]) -> dict[str, Any]:
    """Return the snapshot that consists of these rows, which are in the order of their lists."""
    state: dict[str, Any] = {
        "version": SNAPSHOT_VERSION,
        "faults_made": 0,  # rows of earlier versions lack it
        "entity": {"events": [], "watch": []} | {name: [] for name in COLLECTIONS},
        "outbox": {"endpoints": [], "waiting": [], "settled": [], "attempts": []},
        "credentials": {"clients": [], "restricted": []},
        "tokens": [],
        "limits": [],
        "idempotency": [],
        "faults": [],
        "journal": {"exchanges": []},
    }
    for part, key, value in rows:
        owner, _, member = part.partition(".")
        if part == "sandbox":
            state |= value
        elif part in _WHOLE:
            state[part] = value
        elif member:
            state[owner][member].append(value)
        elif key:
            state[part].append(value)
        else:
            state[part] |= value
    return state
