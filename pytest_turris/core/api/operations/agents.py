"""Agents: list with its filters, get, create."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import StringConstraints

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import Link, operation
from pytest_turris.core.api.operations.associations import named_association
from pytest_turris.core.entity.records import is_pending
from pytest_turris.core.resources.agents import AgentEntry
from pytest_turris.core.wire.errors import Conflict, InvalidInput, NotFound
from pytest_turris.core.wire.model import (
    Email,
    ObjectId,
    RequestModel,
    StateCode,
    exclusive,
    together,
)

AGENT = "/v1/agents/{agentId}"


class ListAgentsQuery(RequestModel):
    """``npn`` cannot be combined with ``licenseNumber`` and ``stateCode`` (documented)."""

    downstream_entity_association_id: ObjectId | None = None
    npn: str | None = None
    license_number: str | None = None
    state_code: StateCode | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[str]:
        """The documented exclusion, and that a license number needs its state (assumed)."""
        yield from exclusive(given, "npn", "licenseNumber/stateCode")
        yield from together(given, "licenseNumber", "stateCode")


class GetAgentQuery(RequestModel):
    """Both require that the agent is with that agency (documented)."""

    producer_code: str | None = None
    downstream_entity_association_id: ObjectId | None = None


class CreateAgentDto(RequestModel):
    """The body of ``POST /v1/agents`` (documented, ``middleName`` in the newer copy)."""

    npn: Annotated[str, StringConstraints(min_length=1)]
    email: Email | None = None
    downstream_entity_association_id: ObjectId | None = None
    middle_name: Annotated[str, StringConstraints(max_length=100)] | None = None


def agent_of(call: Call) -> AgentEntry:
    """Find the agent in the path.

    Raises:
        NotFound: No agent has this id.
    """
    entry = call.records.agents.find(call.parameters["agentId"])
    if entry is None or not _is_shown(call, entry):
        raise NotFound("Agent not found", reason="no agent with this id")
    return entry


@operation(
    "GET",
    "/v1/agents",
    summary="List agents",
    tag="agents",
    page="agents/list-agents",
    operation_id="AgentFeatureController_getAgents_v1",
    operation_id_documented=False,
    query=ListAgentsQuery,
)
def list_agents(call: Call) -> list[AgentEntry]:
    """List the agents that match every given filter."""
    query = call.query(ListAgentsQuery)
    npns: str | set[str] | None = query.npn
    if query.license_number is not None and query.state_code is not None:
        npns = call.records.licenses.npns(query.license_number, query.state_code)
    asked = query.downstream_entity_association_id
    found = call.records.agents.where(association=asked, npn=npns)
    if query.license_number is not None:
        found = [entry for entry in found if not is_pending(entry)]
    if call.options.deleted_agents != "listed":
        found = [entry for entry in found if not (entry.is_deleted or entry.is_archived)]
    return found if asked is None else [_at(entry, asked) for entry in found]


@operation(
    "GET",
    AGENT,
    summary="Get an agent",
    tag="agents",
    page="agents/get-agent",
    operation_id="AgentFeatureController_getAgent_v1",
    query=GetAgentQuery,
)
def get_agent(call: Call) -> AgentEntry:
    """Get an agent; 404 for an unknown id, or if the agent is not with the agency in the query."""
    query = call.query(GetAgentQuery)
    entry = agent_of(call)
    wanted = query.downstream_entity_association_id
    if wanted is not None and wanted not in entry.association_ids:
        raise NotFound("Agent not found", reason="the agent is not with this association")
    if query.producer_code is not None:
        association = call.records.associations.with_producer_code(query.producer_code)
        if association is None or association.id not in entry.association_ids:
            raise NotFound("Agent not found", reason="the agent is not with this producer code")
        wanted = wanted or association.id
    return _at(entry, wanted)


@operation(
    "POST",
    "/v1/agents",
    summary="Create an agent",
    tag="agents",
    page="agents/create-agent",
    status=201,
    operation_id="AgentFeatureController_createAgent_v1",
    operation_id_documented=False,
    body=CreateAgentDto,
    errors=(404,),
    status_provenance="assumed",
    status_option="write_success_status",
    links=(
        Link("get_agent", "agentId", "agent/_id"),
        Link("sync_agent", "agentId", "agent/_id"),
    ),
)
def create_agent(call: Call) -> AgentEntry:
    """Create an agent by NPN, at an association if one is given.

    A known agent joins it, with the given members (assumed).
    """
    body = call.body(CreateAgentDto)
    association_id = body.downstream_entity_association_id
    if association_id is not None:
        named_association(call, association_id)
    agents = call.records.agents
    if agents.with_npn(body.npn) is not None:
        if call.options.duplicate_agent != "joined":
            refusal = Conflict if call.options.duplicate_agent == "conflict" else InvalidInput
            raise refusal(
                "Agent with this NPN already exists",
                reason="option duplicate_agent='joined' answers with the agent",
            )
        given = body.model_dump(exclude={"npn"}, exclude_none=True)
        if body.email is not None:
            given["is_deliverable"] = True
        entry = agents.add(npn=body.npn)
        return agents.update(entry, **given) if given else entry
    entry = agents.add(
        npn=body.npn,
        email=body.email,
        middle_name=body.middle_name,
        downstream_entity_association_id=association_id,
        synchronized=False,
    )
    call.entity.settle()
    return entry


def _at(entry: AgentEntry, association_id: str | None) -> AgentEntry:
    """The agent as seen at the requested agency: an agent may be at several."""
    if association_id is None:
        return entry
    return entry.model_copy(update={"downstream_entity_association_id": association_id})


def _is_shown(call: Call, entry: AgentEntry) -> bool:
    gone = entry.is_deleted or entry.is_archived
    return not gone or call.options.deleted_agents == "listed"
