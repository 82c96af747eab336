"""Appointments: the carriers for which an agent or agency may sell, as NIPR reports it.

The members are documented (appointments/agent-appointments); the only known values of ``status``
are ``active`` and, in the filter's example, ``appointed``.
"""

import datetime as dt
from typing import ClassVar

from pytest_turris.core.clock import later
from pytest_turris.core.resources.collection import Collection
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record
from pytest_turris.core.wire.model import ObjectId, StateCode, Timestamp


class Appointment(Record):
    """An appointment, found by its NPN; that of an agency is shown without ``agentId``."""

    internal_fields: ClassVar[frozenset[str]] = frozenset({"id"})

    id: ObjectId
    nipr_data_subscription_id: ObjectId
    state_code: StateCode
    carrier_name: str
    ein: str | None = None
    company_code: str
    line_of_authority_name: str
    line_of_authority_code: str
    status: str = "active"
    npn: str
    agent_id: ObjectId | None = None
    termination_reason: str | None = None
    status_change_date: Timestamp | None = None
    renewal_date: Timestamp | None = None
    appointer_state_co_id: str | None = None
    county_name: str | None = None
    updated_at: Timestamp | None = None

    @property
    def key(self) -> str:
        """The id, which the API does not show."""
        return self.id

    @property
    def is_active(self) -> bool:
        """Whether the appointment is in force."""
        return self.status in ACTIVE


ACTIVE = frozenset({"active", "appointed"})
"""The enum's first value, and the one in the filter's example (the page disagrees with itself)."""

DEFAULT_COMPANY_CODE = "12345"


class Appointments(Collection[Appointment]):
    """The appointments that NIPR knows, by NPN."""

    kind = Appointment
    indexes: ClassVar[Indexes] = {"npn": lambda held: [held.npn]}

    @suggest_keywords
    def add(
        self,
        *,
        npn: str,
        state_code: str = "CA",
        carrier_name: str = "National Insurance Co",
        ein: str | None = "12-3456789",
        company_code: str = DEFAULT_COMPANY_CODE,
        line_of_authority_name: str = "Property",
        line_of_authority_code: str = "P",
        status: str = "active",
        termination_reason: str | None = None,
        status_change_date: dt.datetime | None = None,
        renewal_date: dt.datetime | None = None,
        appointer_state_co_id: str | None = None,
        county_name: str | None = None,
    ) -> Appointment:
        """Add an appointment of the holder of an NPN, by default from now on for a year.

        Raises:
            RecordError: A value does not fit, such as an unknown state.
        """
        now = self._clock.now()
        return self.make(
            id=self._randomness.object_id(),
            nipr_data_subscription_id=self._randomness.object_id(),
            state_code=state_code,
            carrier_name=carrier_name,
            ein=ein,
            company_code=company_code,
            line_of_authority_name=line_of_authority_name,
            line_of_authority_code=line_of_authority_code,
            status=status,
            npn=npn,
            termination_reason=termination_reason,
            status_change_date=status_change_date or now,
            renewal_date=renewal_date or later(now, dt.timedelta(days=365)),
            appointer_state_co_id=appointer_state_co_id,
            county_name=county_name,
            updated_at=now,
        )
