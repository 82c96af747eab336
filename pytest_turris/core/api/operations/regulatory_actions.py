"""Regulatory actions against an agent: list."""

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.api.operations.agents import AGENT, agent_of
from pytest_turris.core.api.operations.nipr import subscription_of
from pytest_turris.core.entity.records import is_pending
from pytest_turris.core.resources.regulatory_actions import RegulatoryAction


@operation(
    "GET",
    AGENT + "/regulatory-actions",
    summary="List an agent's regulatory actions",
    tag="agents",
    page="regulatory-actions/agent-regulatory-actions",
    operation_id="AgentRegulatoryActionsController_getAgentRegulatoryActions_v1",
    documented_errors=(401,),
)
def list_regulatory_actions(call: Call) -> list[RegulatoryAction]:
    """List the regulatory actions of states against an agent."""
    entry = agent_of(call)
    if is_pending(entry):
        return []
    subscription = subscription_of(entry)
    return [
        action.model_copy(update=subscription)
        for action in call.records.regulatory_actions.where(npn=entry.npn)
    ]
