"""Appointments of an agent or agency: list with filters."""

from typing import ClassVar

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.api.operations.agents import AGENT, agent_of
from pytest_turris.core.api.operations.associations import ASSOCIATION, association_of
from pytest_turris.core.api.operations.nipr import StateAndStatusQuery, subscription_of
from pytest_turris.core.entity.records import Owner, is_pending
from pytest_turris.core.resources.appointments import Appointment


class DownstreamEntityAppointment(Appointment):
    """An agency's appointment, which has no ``agentId`` (documented)."""

    internal_fields: ClassVar[frozenset[str]] = frozenset({"id", "agent_id"})


@operation(
    "GET",
    AGENT + "/appointments",
    summary="List an agent's appointments",
    tag="agents",
    page="appointments/agent-appointments",
    operation_id="AgentAppointmentComplianceController_getAgentAppointments_v1",
    query=StateAndStatusQuery,
)
def list_agent_appointments(call: Call) -> list[Appointment]:
    """List an agent's appointments."""
    query = call.query(StateAndStatusQuery)
    entry = agent_of(call)
    return [held.model_copy(update={"agent_id": entry.id}) for held in _held(call, query, entry)]


@operation(
    "GET",
    ASSOCIATION + "/appointments",
    summary="List an agency's appointments",
    tag="downstream-entity-associations",
    page="appointments/downstream-entity-appointments",
    operation_id="DownstreamEntityAppointmentsController_getAppointments_v1",
    operation_id_documented=False,
    query=StateAndStatusQuery,
)
def list_association_appointments(call: Call) -> list[DownstreamEntityAppointment]:
    """List an agency's appointments."""
    query = call.query(StateAndStatusQuery)
    held = _held(call, query, association_of(call))
    return [DownstreamEntityAppointment.model_construct(**dict(one)) for one in held]


def _held(call: Call, query: StateAndStatusQuery, owner: Owner) -> list[Appointment]:
    if owner.npn is None or is_pending(owner):
        return []
    subscription, active = subscription_of(owner), call.options.appointment_status
    return [
        held.model_copy(update=subscription | ({"status": active} if held.is_active else {}))
        for held in call.records.appointments.where(npn=owner.npn)
        if query.matches(held.state_code, held.status)
    ]
