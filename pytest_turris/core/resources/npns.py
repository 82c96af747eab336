"""The producer registry behind NPN lookups: producers besides the agents and agencies.

Turris says that a lookup tells a firm, an individual and an unknown NPN apart
(tools/validate-npns); the members of a result are not visible and are assumed.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from pytest_turris.core.clock import later
from pytest_turris.core.resources.collection import (
    Collection,
    CollectionHolder,
)
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record, WireModel

EntityType = Literal["firm", "individual", "not found"]


class NpnLookupResult(WireModel):
    """The result of a lookup for one NPN (assumed).

    ``members`` are sent instead of the assumed ones, if there are any.
    """

    internal_fields: ClassVar[frozenset[str]] = frozenset({"members"})

    npn: str
    entity_type: EntityType
    name: str | None = None
    members: dict[str, Any] = Field(default_factory=dict)

    @property
    def given_document(self) -> dict[str, Any]:
        """The members that a test gave."""
        return self.members


class RegisteredNpn(Record):
    """A producer that NIPR knows."""

    npn: str
    entity_type: EntityType = "individual"
    name: str
    ein: str | None = None
    members: dict[str, Any] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        """The NPN."""
        return self.npn

    @property
    def person(self) -> dict[str, str]:
        """The names of an individual: NIPR's text, split at its spaces."""
        first, *middle, last = self.name.split() if " " in self.name.strip() else ("", self.name)
        return {"first_name": first, "middle_name": " ".join(middle), "last_name": last}


class Npns(Collection[RegisteredNpn]):
    """The producers that an NPN lookup finds besides agents and agencies."""

    kind = RegisteredNpn
    indexes: ClassVar[Indexes] = {}

    def __init__(self, holder: CollectionHolder) -> None:
        super().__init__(holder)
        self.busy_until: dt.datetime | None = None
        """A lookup is in progress until this moment; another one is refused with 429."""

    @suggest_keywords
    def add(
        self,
        *,
        npn: str | None = None,
        entity_type: EntityType = "individual",
        name: str = "Avery Adams",
        ein: str | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> RegisteredNpn:
        """Add a producer; the NPN is generated unless given.

        Its name, and the FEIN of a firm, replace those of an agent or agency with that NPN at its
        next sync. An NPN that is ``not found`` cannot be synchronised.

        Args:
            npn: The National Producer Number.
            entity_type: Which kind of producer has the number.
            name: The name of the firm or person.
            ein: The firm's FEIN.
            members: What a lookup answers for this NPN, by the names on the wire, instead of the
                assumed members.

        Raises:
            RecordError: A value does not fit, or the NPN is registered already.
        """
        return self.make(
            npn=npn or self._randomness.number("npn", 8),
            entity_type=entity_type,
            name=name,
            ein=ein,
            members=dict(members or {}),
        )

    def individual(self, npn: str) -> dict[str, str]:
        """The names that NIPR knows for an individual's NPN; empty if there are none."""
        known = self.find(npn)
        if known is None or known.entity_type != "individual":
            return {}
        return {name: text for name, text in known.person.items() if text}

    def firm(self, npn: str | None) -> dict[str, str]:
        """The legal name and FEIN that NIPR knows for a firm's NPN; empty if there are none."""
        known = self.find(npn) if npn else None
        if known is None or known.entity_type != "firm":
            return {}
        return {"legal_name": known.name} | ({"ein": known.ein} if known.ein else {})

    def why_not(self, npn: str, wanted: EntityType) -> str:
        """Why NIPR has no data for an NPN of this kind of producer; empty if it has some."""
        known = self.find(npn)
        if known is None:
            return "NPN not found" if self._holder.options.unknown_npn == "not_found" else ""
        if known.entity_type == wanted:
            return ""
        found = known.entity_type
        return "NPN not found" if found == "not found" else f"The NPN belongs to a {found}"

    def occupy(self, duration: dt.timedelta) -> None:
        """Begin a lookup that takes this long on the sandbox's clock."""
        self.undo.attributes(self, "busy_until")
        self.busy_until = later(self._clock.now(), duration)
        if self._holder.changes is not None:
            self._holder.changes.mark(self.part, "", self._head)

    @property
    def busy(self) -> bool:
        """Whether a lookup is in progress."""
        return self.busy_until is not None and self._clock.now() < self.busy_until

    def rows(self) -> Iterator[tuple[str, Any]]:
        """As in any collection; the running lookup is the first row."""
        yield "", self._head()
        yield from super().rows()

    def _head(self) -> dict[str, str | None]:
        return {"busy_until": self.busy_until.isoformat() if self.busy_until else None}

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace all records with a snapshot's."""
        head, *records = rows
        self._restore_head(head)
        super().restore(records)

    def take_over(self, key: str, row: dict[str, Any] | None) -> RegisteredNpn | None:
        """As in any collection; the running lookup has an empty key."""
        if key or row is None:
            return super().take_over(key, row)
        self._restore_head(row)
        return None

    def _restore_head(self, head: dict[str, str | None]) -> None:
        until = head["busy_until"]
        self.busy_until = dt.datetime.fromisoformat(until) if until else None
