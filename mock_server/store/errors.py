"""What can be wrong with a store."""


class StoreError(RuntimeError):
    """The file is not a store, or of a newer version, in use, or cannot be written."""


class HistoryError(LookupError):
    """There is no such step, or it is no longer kept."""
