"""The receiver's storage, in memory. Use a database in production."""

from collections.abc import Iterator
from contextlib import contextmanager

from agency_directory.models import Agency


class AgencyStore:
    """The agencies with a signed agreement, and the deliveries that were processed."""

    def __init__(self) -> None:
        self.agencies: dict[str, Agency] = {}
        self._claims: dict[str, object] = {}

    def save(self, agency: Agency) -> None:
        self.agencies[agency.id] = agency

    @contextmanager
    def claim(self, delivery: str) -> Iterator[bool]:
        """Yield whether this is the first to process the delivery; an error releases it."""
        mine = object()
        is_first = self._claims.setdefault(delivery, mine) is mine
        try:
            yield is_first
        except BaseException:
            if is_first:
                del self._claims[delivery]
            raise
