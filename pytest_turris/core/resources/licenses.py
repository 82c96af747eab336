"""Licenses, as NIPR reports them for an NPN.

The members are documented (licenses/downstream-entity-licenses); the values of ``status`` and
``residencyStatus`` are assumed.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field

from pytest_turris.core.clock import later
from pytest_turris.core.resources.collection import Collection
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record, WireModel
from pytest_turris.core.wire.model import ObjectId, StateCode, Timestamp


class LineOfAuthority(WireModel):
    """A line of insurance that a license covers."""

    code: str
    name: str
    status: str = "active"


class License(Record):
    """A license of an agent or agency, found by its NPN.

    ``status`` is the one that the state reports; an active license past its ``expirationDate`` is
    shown as ``expired``, and one before its ``issueDate`` as ``inactive``.
    ``niprDataSubscriptionId`` is that of the agent or agency that it is listed for.
    """

    internal_fields: ClassVar[frozenset[str]] = frozenset({"id"})

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

    def status_at(self, moment: dt.datetime) -> str:
        """The status as it is shown at a moment."""
        if self.status != "active":
            return self.status
        if self.issue_date is not None and moment < self.issue_date:
            return "inactive"
        expired = self.expiration_date is not None and moment >= self.expiration_date
        return "expired" if expired else "active"


class Licenses(Collection[License]):
    """The licenses that NIPR knows, by NPN."""

    kind = License
    indexes: ClassVar[Indexes] = {
        "npn": lambda held: [held.npn],
        "number": lambda held: [held.license_number],
        "state": lambda held: [held.state_code],
    }

    @suggest_keywords
    def add(
        self,
        *,
        npn: str,
        state_code: str = "CA",
        license_number: str | None = None,
        license_class_code: str = "PC",
        license_class_name: str = "Property and Casualty",
        status: str = "active",
        residency_status: str = "resident",
        issue_date: dt.datetime | None = None,
        next_renewal_date: dt.datetime | None = None,
        expiration_date: dt.datetime | None = None,
        lines_of_authority: Iterable[LineOfAuthority | dict[str, Any]] = (
            LineOfAuthority.model_construct(code="P", name="Property"),
        ),
    ) -> License:
        """Add a license of the holder of an NPN, by default issued a year ago for two years.

        Raises:
            RecordError: A value does not fit, such as an unknown state.
        """
        now = self._clock.now()
        year = dt.timedelta(days=365)
        expiration = expiration_date or later(now, year)
        return self.make(
            id=self._randomness.object_id(),
            nipr_data_subscription_id=self._randomness.object_id(),
            npn=npn,
            state_code=state_code,
            license_number=license_number or self._randomness.number("license number", 7),
            license_class_code=license_class_code,
            license_class_name=license_class_name,
            status=status,
            residency_status=residency_status,
            issue_date=issue_date or now - year,
            expiration_date=expiration,
            next_renewal_date=next_renewal_date or expiration,
            lines_of_authority=list(lines_of_authority),
            updated_at=now,
        )

    def npns(self, license_number: str | None, state_code: str | None) -> set[str]:
        """The NPNs that hold a license of that number in that state; None takes any."""
        return {held.npn for held in self.where(number=license_number, state=state_code)}
