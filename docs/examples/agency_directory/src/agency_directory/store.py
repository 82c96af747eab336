"""What the receiver remembers, in memory: a database would take its place."""

from collections.abc import Iterator
from contextlib import contextmanager

from agency_directory.models import Agency


class AgencyStore:
    """The agencies with a signed agreement, and the deliveries that were handled."""

    def __init__(self) -> None:
        self.agencies: dict[str, Agency] = {}
        self._claims: dict[str, object] = {}

    def save(self, agency: Agency) -> None:
        self.agencies[agency.id] = agency

    @contextmanager
    def claim(self, delivery: str) -> Iterator[bool]:
        """Whether nobody else handles, or has handled, the delivery; an error gives it back."""
        mine = object()
        is_first = self._claims.setdefault(delivery, mine) is mine
        try:
            yield is_first
        except BaseException:
            if is_first:
                del self._claims[delivery]
            raise
