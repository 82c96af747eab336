"""The outbox as a part of the state. Most sandboxes send no webhook, so most have none."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.outbox.network_faults import NetworkFaults

if TYPE_CHECKING:
    from pytest_turris.core.outbox.deliveries import Delivery
    from pytest_turris.core.outbox.outbox import Outbox

_COUNTERS: dict[str, Any] = {"debounce": [], "seen": 0, "made": 0, "attempted": 0, "resends": []}
_UNUSED = _COUNTERS | {"endpoints": [], "waiting": [], "settled": [], "attempts": []}


class OutboxState:
    """Reads and changes the outbox, which is made when a state needs it.

    Args:
        made: The outbox, or None before it is made.
        make: Makes it, or returns it.
    """

    def __init__(self, made: "Callable[[], Outbox | None]", make: "Callable[[], Outbox]") -> None:
        self._made = made
        self._make = make
        self._changes: Changes | None = None

    def note_changes(self, changes: Changes) -> None:
        """Note changed rows from now on."""
        self._changes = changes
        outbox = self._made()
        if outbox is not None:  # an empty one is false
            outbox.note_changes(changes)

    def begin(self, outbox: "Outbox") -> None:
        """Note the changes of an outbox that is made now."""
        if self._changes is not None:
            outbox.note_changes(self._changes)

    def snapshot(self) -> dict[str, Any]:
        """The outbox as JSON data."""
        outbox = self._made()
        return outbox.snapshot() if outbox is not None else _copy_of(_UNUSED)

    def rows(self) -> Iterator[Row]:
        """The outbox as rows of the state."""
        outbox = self._made()
        if outbox is not None:
            yield from outbox.rows()
        else:
            yield "outbox", "", _copy_of(_COUNTERS)

    def restore(self, data: dict[str, Any]) -> None:
        """Restore the outbox of a snapshot."""
        if self._made() is not None or data != _UNUSED:
            self._make().restore(data)

    def take_over(self, member: str, key: str, row: Any) -> None:  # noqa: ANN401 - JSON data
        """Take over one row that another process changed; None if it is gone there."""
        self._make().take_over(member, key, row)

    @property
    def network_faults(self) -> NetworkFaults:
        """What happens to deliveries on their way."""
        outbox = self._made()
        return NetworkFaults() if outbox is None else outbox.network_faults

    @network_faults.setter
    def network_faults(self, faults: NetworkFaults) -> None:
        if faults != self.network_faults:
            self._make().network_faults = faults

    @property
    def in_flight(self) -> "tuple[Delivery, ...]":
        """The deliveries that this process sends now."""
        outbox = self._made()
        return () if outbox is None else outbox.in_flight

    def stay_in_flight(self, deliveries: "Iterable[Delivery]") -> None:
        """Keep what this process sends in flight, after the state was read from a store."""
        outbox = self._made()
        if outbox is not None:
            outbox.stay_in_flight(deliveries)


def _copy_of(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.copy() if isinstance(value, list) else value for name, value in data.items()
    }
