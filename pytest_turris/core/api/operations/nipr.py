"""NIPR data: sync and its state, licenses, appointments, regulatory actions."""

from typing import Annotated, ClassVar

from pydantic import StringConstraints

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operations.agents import agent_of
from pytest_turris.core.api.operations.associations import association_of
from pytest_turris.core.entity.records import Owner
from pytest_turris.core.resources.appointments import ACTIVE, Appointment
from pytest_turris.core.resources.associations import digits
from pytest_turris.core.resources.collection import WireModel
from pytest_turris.core.resources.licenses import License
from pytest_turris.core.resources.regulatory_actions import RegulatoryAction
from pytest_turris.core.resources.subscriptions import NiprDataSubscription
from pytest_turris.core.wire.errors import InvalidInput, NotFound
from pytest_turris.core.wire.model import RequestModel, StateCode


class StateAndStatusQuery(RequestModel):
    """Both filters are optional (documented)."""

    state_code: StateCode | None = None
    status: str | None = None


class SurplusLinesQuery(RequestModel):
    """Both are required; the FEIN with its hyphen or without (documented)."""

    fein: Annotated[str, StringConstraints(pattern=r"^\d{2}-?\d{7}$")]
    state_code: StateCode


class DangerousSurplusLinesQuery(RequestModel):
    """The same, the FEIN taken as it is."""

    fein: str
    state_code: StateCode


class ComplianceDataSubscriptionResponse(NiprDataSubscription):
    """A subscription by itself: its fields are not visible, these are the embedded object's."""

    internal_fields: ClassVar[frozenset[str]] = frozenset({"sync_due"})


class DownstreamEntityAppointment(Appointment):
    """An agency's appointment: without ``agentId`` (documented)."""

    internal_fields: ClassVar[frozenset[str]] = frozenset({"id", "agent_id"})


class SurplusLinesLicense(License):
    """A license as the surplus lines pages show it (documented)."""

    internal_fields: ClassVar[frozenset[str]] = frozenset(
        {"id", "nipr_data_subscription_id", "npn", "expiration_date", "updated_at"}
    )


class SurplusLinesResponse(WireModel):
    """One agency's surplus lines licenses in a state."""

    agency_name: str
    agency_npn: str | None = None
    agency_fein: str
    surplus_lines_licenses: list[SurplusLinesLicense]


def sync_agent(call: Call) -> None:
    """Queue a fetch of an agent's data from NIPR."""
    call.entity.enqueue_sync(agent_of(call))


def sync_association(call: Call) -> None:
    """Queue a fetch of an agency's data from NIPR."""
    association = association_of(call)
    if association.nipr_data_subscription is None:
        raise InvalidInput("Downstream entity has no NPN", reason="nothing to fetch from NIPR")
    call.entity.enqueue_sync(association)


def get_subscription_status(call: Call) -> ComplianceDataSubscriptionResponse:
    """One subscription; 404 if there is none (assumed)."""
    owner = call.records.owner(call.parameters["niprDataSubscriptionId"])
    if owner is None or owner.nipr_data_subscription is None:
        raise NotFound("NIPR data subscription not found", reason="no subscription with this id")
    return ComplianceDataSubscriptionResponse.model_construct(**dict(owner.nipr_data_subscription))


def list_licenses(call: Call) -> list[License]:
    """An agency's licenses with their status now."""
    query = call.query(StateAndStatusQuery)
    association = association_of(call)
    held = _licenses(call, association)
    return [one for one in held if _wanted(query, one.state_code, one.status)]


def list_surplus_lines(call: Call) -> SurplusLinesResponse:
    """An agency's surplus lines licenses in a state, by FEIN."""
    return _surplus_lines(call, call.query(SurplusLinesQuery))


def dangerously_list_surplus_lines(call: Call) -> SurplusLinesResponse:
    """The same without a check of the FEIN (documented: bypasses checks)."""
    return _surplus_lines(call, call.query(DangerousSurplusLinesQuery))


def list_agent_appointments(call: Call) -> list[Appointment]:
    """An agent's appointments."""
    query = call.query(StateAndStatusQuery)
    entry = agent_of(call)
    return [held.model_copy(update={"agent_id": entry.id}) for held in _held(call, query, entry)]


def list_association_appointments(call: Call) -> list[DownstreamEntityAppointment]:
    """An agency's appointments."""
    query = call.query(StateAndStatusQuery)
    held = _held(call, query, association_of(call))
    return [DownstreamEntityAppointment.model_construct(**dict(one)) for one in held]


def list_regulatory_actions(call: Call) -> list[RegulatoryAction]:
    """What states did against an agent."""
    entry = agent_of(call)
    subscription = _subscription(entry)
    return [
        action.model_copy(update=subscription)
        for action in call.records.regulatory_actions.where(npn=entry.npn)
    ]


def _subscription(owner: Owner) -> dict[str, str]:
    subscription = owner.nipr_data_subscription
    return {"nipr_data_subscription_id": subscription.id} if subscription else {}


def _licenses(call: Call, owner: Owner) -> list[License]:
    if owner.npn is None:
        return []
    subscription = _subscription(owner)
    return [
        held.model_copy(update=subscription | {"status": held.status_at(call.at)})
        for held in call.records.licenses.where(npn=owner.npn)
    ]


def _held(call: Call, query: StateAndStatusQuery, owner: Owner) -> list[Appointment]:
    if owner.npn is None:
        return []
    subscription, word = _subscription(owner), call.options.appointment_status
    return [
        held.model_copy(update=subscription | ({"status": word} if held.is_active else {}))
        for held in call.records.appointments.where(npn=owner.npn)
        if _wanted(query, held.state_code, held.status)
    ]


def _wanted(query: StateAndStatusQuery, state: str, status: str) -> bool:
    if query.state_code not in (None, state):
        return False
    same = query.status in (None, status)
    return same or (query.status in ACTIVE and status in ACTIVE)


def _surplus_lines(
    call: Call, query: SurplusLinesQuery | DangerousSurplusLinesQuery
) -> SurplusLinesResponse:
    association = call.records.associations.one_where(fein=digits(query.fein) or "")
    if association is None:
        raise NotFound("Agency not found", reason="no association with this FEIN")
    return SurplusLinesResponse.model_construct(
        agency_name=association.downstream_entity.legal_name,
        agency_npn=association.npn,
        agency_fein=association.downstream_entity.ein or "",
        surplus_lines_licenses=[
            SurplusLinesLicense.model_construct(**dict(held))
            for held in _licenses(call, association)
            if held.state_code == query.state_code
            and "surplus lines" in held.license_class_name.lower()
        ],
    )
