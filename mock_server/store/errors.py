"""What can be wrong with a store."""

from pytest_turris.core.errors import TurrisKitError


class StoreError(TurrisKitError, RuntimeError):
    """The file is no store, of a newer version, in use, or cannot be written."""


class HistoryError(TurrisKitError, ValueError):
    """There is no such step, or it is no longer kept."""
