"""Licenses, as NIPR reports them for an NPN.

The members are documented (licenses/downstream-entity-licenses); the words of ``status`` and
``residencyStatus`` are not and are assumed.
"""

import datetime as dt
from typing import ClassVar

from pydantic import Field

from pytest_turris.core.model import ObjectId, StateCode, Timestamp, TurrisModel
from pytest_turris.core.records import Collection, Record


class LineOfAuthority(TurrisModel):
    """What a license allows to sell."""

    code: str
    name: str
    status: str = "active"


class License(Record):
    """A license of an agent or agency, found by its NPN."""

    off_wire: ClassVar[frozenset[str]] = frozenset({"id"})

    id: ObjectId
    nipr_data_subscription_id: ObjectId
    npn: str
    state_code: StateCode
    license_number: str
    license_class_code: str = "PC"
    license_class_name: str = "Property and Casualty"
    status: str = "active"
    residency_status: str = "resident"
    issue_date: Timestamp | None = None
    next_renewal_date: Timestamp | None = None
    expiration_date: Timestamp | None = None
    lines_of_authority: list[LineOfAuthority] = Field(default_factory=list)
    updated_at: Timestamp | None = None

    @property
    def key(self) -> str:
        """The id, which the API does not show."""
        return self.id


class Licenses(Collection[License]):
    """The licenses that the sandbox' NIPR knows."""

    kind = License

    def add(
        self,
        *,
        npn: str,
        state_code: str = "CA",
        license_number: str | None = None,
        status: str = "active",
        issue_date: dt.datetime | None = None,
        expiration_date: dt.datetime | None = None,
    ) -> License:
        """A license of whoever has the NPN; by default issued a year ago, for two years.

        Raises:
            RecordError: A value does not fit, such as a state that is none.
        """
        now = self._clock.now()
        year = dt.timedelta(days=365)
        expiration = expiration_date or now + year
        return self.make(
            id=self._randomness.object_id(),
            nipr_data_subscription_id=self._randomness.object_id(),
            npn=npn,
            state_code=state_code,
            license_number=license_number or self._randomness.number("license number", 7),
            status=status,
            issue_date=issue_date or now - year,
            expiration_date=expiration,
            next_renewal_date=expiration,
            lines_of_authority=[LineOfAuthority(code="P", name="Property")],
            updated_at=now,
        )

    def npns(self, license_number: str, state_code: str) -> set[str]:
        """Whose license that number of that state is."""
        return {
            held.npn
            for held in self
            if held.license_number == license_number and held.state_code == state_code
        }
