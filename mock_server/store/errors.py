"""The errors of a store."""


class StoreError(RuntimeError):
    """The file is not a store, or of a newer version, in use, or cannot be written."""


class HistoryError(LookupError):
    """There is no such step, or it is no longer kept."""


class TenantGoneError(StoreError):
    """Another server has deleted the tenant.

    Args:
        name: Its name.
    """

    def __init__(self, name: str) -> None:
        self.name: str = name
        super().__init__(f"the tenant {name!r} was deleted")
