"""The error of snapshots."""

from pytest_turris.core.errors import TurrisKitError


class SnapshotError(TurrisKitError, ValueError):
    """The data is not a snapshot, is of another version, or is incomplete."""
