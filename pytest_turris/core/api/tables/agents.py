"""Agents and what is known of one."""

from pytest_turris.core.api.call import Operation
from pytest_turris.core.api.operations import agents, compliance, nipr
from pytest_turris.core.resources.agents import AgentEntry
from pytest_turris.core.resources.appointments import Appointment
from pytest_turris.core.resources.compliance import LicenseComplianceResponse
from pytest_turris.core.resources.regulatory_actions import RegulatoryAction

_AGENT = "/v1/agents/{agentId}"

ROWS = (
    Operation(
        name="list_agents", method="GET", path="/v1/agents",
        operation_id="AgentFeatureController_getAgents_v1", operation_id_documented=False,
        handler=agents.list_agents, summary="List agents", tag="agents",
        page="agents/list-agents", query=agents.ListAgentsQuery, answer=AgentEntry, many=True,
    ),
    Operation(
        name="create_agent", method="POST", path="/v1/agents", status=201,
        operation_id="AgentFeatureController_createAgent_v1", operation_id_documented=False,
        handler=agents.create_agent, summary="Create an agent", tag="agents",
        page="agents/create-agent", body=agents.CreateAgentDto, answer=AgentEntry,
        errors=(404,), status_provenance="assumed",
    ),
    Operation(
        name="get_agent", method="GET", path=_AGENT,
        operation_id="AgentFeatureController_getAgent_v1", handler=agents.get_agent,
        summary="Get an agent", tag="agents", page="agents/get-agent",
        query=agents.GetAgentQuery, answer=AgentEntry,
    ),
    Operation(
        name="sync_agent", method="POST", path=_AGENT + "/sync", status=201,
        operation_id="AgentFeatureController_enqueueAgentEntityInfo_v1",
        handler=nipr.sync_agent, summary="Queue a sync of an agent with NIPR", tag="agents",
        page="compliance-data-subscriptions/sync-agent", documented_errors=(401, 404),
    ),
    Operation(
        name="list_agent_appointments", method="GET", path=_AGENT + "/appointments",
        operation_id="AgentAppointmentComplianceController_getAgentAppointments_v1",
        handler=nipr.list_agent_appointments, summary="List an agent's appointments",
        tag="agents", page="appointments/agent-appointments", query=nipr.StateAndStatusQuery,
        answer=Appointment, many=True,
    ),
    Operation(
        name="get_agent_compliance", method="GET", path=_AGENT + "/license-compliance-statuses",
        operation_id="AgentLicenseComplianceController_getAgentCompliance_v1",
        operation_id_documented=False, handler=compliance.get_agent_compliance,
        summary="Get an agent's license compliance", tag="agents",
        page="compliance-status/agent-compliance", query=compliance.LicenseComplianceQuery,
        answer=LicenseComplianceResponse,
    ),
    Operation(
        name="list_regulatory_actions", method="GET", path=_AGENT + "/regulatory-actions",
        operation_id="AgentRegulatoryActionsController_getAgentRegulatoryActions_v1",
        handler=nipr.list_regulatory_actions, summary="List an agent's regulatory actions",
        tag="agents", page="regulatory-actions/agent-regulatory-actions",
        answer=RegulatoryAction, many=True, documented_errors=(401,),
    ),
)  # fmt: skip
