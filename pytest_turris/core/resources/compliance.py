"""Compliance: what follows from licenses, appointments and a product's requirements, in a state.

``productName`` and ``states[].stateCode`` are documented (compliance-status/agent-compliance); the
other members of a state are those of the webhooks (guides/webhooks), and so are the names
Licensed, Missing License, Appointed and Missing Carrier with their messages. Expired License,
Missing LOA, NPN Missing and Pending Data are the help centre's. Not Required is assumed.
"""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

from pytest_turris.core.resources.appointments import Appointment
from pytest_turris.core.resources.coverages import Coverage
from pytest_turris.core.resources.licenses import License
from pytest_turris.core.resources.products import Product, Requirements
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.model import ObjectId, StateCode

ComplianceStatus = Literal["COMPLIANT", "NOT_COMPLIANT"]


class RequirementStatus(WireModel):
    """The status of the license or the appointment; without messages if nothing is missing."""

    never_null: ClassVar[frozenset[str]] = frozenset({"status_messages"})

    status_name: str
    status_messages: list[str] | None = None


class StateCompliance(WireModel):
    """One state of a product; the sample has ``stateCode`` alone."""

    never_null: ClassVar[frozenset[str]] = frozenset(
        {"compliance_status", "license_status", "appointment_status"}
    )

    state_code: StateCode
    compliance_status: ComplianceStatus | None = None
    license_status: RequirementStatus | None = None
    appointment_status: RequirementStatus | None = None


class ComplianceResult(NamedTuple):
    """What follows from a license and an appointment, before it is shown for a state."""

    license_status: RequirementStatus
    appointment_status: RequirementStatus

    @property
    def compliance_status(self) -> ComplianceStatus:
        """Compliant if neither status has a message."""
        messages = self.license_status.status_messages or self.appointment_status.status_messages
        return "NOT_COMPLIANT" if messages else "COMPLIANT"

    @property
    def summary(self) -> tuple[str, str, str]:
        """The three statuses by name, to compare with those of another moment."""
        return (
            self.compliance_status,
            self.license_status.status_name,
            self.appointment_status.status_name,
        )

    def in_state(self, state: StateCode) -> StateCompliance:
        """The result as the API shows it for one state."""
        return StateCompliance(
            state_code=state,
            compliance_status=self.compliance_status,
            license_status=self.license_status,
            appointment_status=self.appointment_status,
        )


class LicenseComplianceResponse(WireModel):
    """The answer of both license compliance operations."""

    product_name: str
    states: list[StateCompliance]


class PolicyComplianceResponse(WireModel):
    """E&O and Cyber of one agency; a kind that it does not hold is left out (assumed)."""

    e_and_o: Coverage | None = Field(default=None, alias="eAndO")
    cyber: Coverage | None = None
    downstream_entity_id: ObjectId
    downstream_entity_name: str
    downstream_entity_npn: str | None = None


def assess_compliance(
    product: Product,
    state: StateCode,
    holder: Literal["agent", "agency"],
    *,
    npn: str | None,
    licenses: Iterable[License],
    appointments: Iterable[Appointment],
    moment: dt.datetime,
) -> ComplianceResult:
    """The compliance that these licenses and appointments give, for a product in a state."""
    if npn is None:
        return ComplianceResult(_NPN_MISSING, _NPN_MISSING)
    needed = product.requirements_in(state)
    company = needed.company_code if needed.is_appointment_required_of(holder) else None
    return ComplianceResult(
        _license_status(needed, [held for held in licenses if held.state_code == state], moment),
        _appointment_status(company, [held for held in appointments if held.state_code == state]),
    )


def _license_status(
    requirements: Requirements, held: list[License], moment: dt.datetime
) -> RequirementStatus:
    classes = requirements.license_class_codes
    fitting = [one for one in held if not classes or one.license_class_code in classes]
    if not fitting:
        return _NO_CLASS
    active = [one for one in fitting if one.status_at(moment) == "active"]
    if not active:
        expired = [one for one in fitting if one.status_at(moment) == "expired"]
        if expired:
            return _missing("Expired License", *map(_expiry, expired))
        return _missing("Missing License", "Required license is not active")
    needed = set(requirements.line_of_authority_codes)
    for one in active:
        if needed <= {line.code for line in one.lines_of_authority if line.status == "active"}:
            return _LICENSED
    return _missing("Missing LOA", f"Required line of authority not found: {min(needed)}")


def _appointment_status(company: str | None, held: list[Appointment]) -> RequirementStatus:
    if company is None:
        return _NOT_REQUIRED
    if any(one.is_active and one.company_code == company for one in held):
        return _APPOINTED
    return _NO_CARRIER


def _expiry(held: License) -> str:
    day = f" on {held.expiration_date:%Y-%m-%d}" if held.expiration_date else ""
    return f"License {held.license_number} expired{day}"


def _missing(name: str, *messages: str) -> RequirementStatus:
    # Without validation, so that no validator is built at import.
    return RequirementStatus.model_construct(status_name=name, status_messages=list(messages))


_LICENSED = RequirementStatus.model_construct(status_name="Licensed")
_APPOINTED = RequirementStatus.model_construct(status_name="Appointed")
_NOT_REQUIRED = RequirementStatus.model_construct(status_name="Not Required")
_NO_CLASS = _missing("Missing License", "Required license class not found")
_NO_CARRIER = _missing("Missing Carrier", "No active appointment with required carrier")
_NPN_MISSING = _missing("NPN Missing", "NPN is missing")
_PENDING = _missing("Pending Data", "NIPR data is not available yet")

PENDING = ComplianceResult(_PENDING, _PENDING)
"""The compliance of an agent or agency without a successful fetch from NIPR (assumed)."""

NOT_SOLD = ComplianceResult(_NOT_REQUIRED, _NOT_REQUIRED)
"""The compliance of everyone where a product is not sold: it requires nothing there (assumed)."""
