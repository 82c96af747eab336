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
        """The documented exclusion."""
        yield from exclusive(given, "npn", "licenseNumber/stateCode")


class GetAgentQuery(RequestModel):
    """Both require that the agent is with that agency (documented): with one that has both."""

    producer_code: str | None = None
    downstream_entity_association_id: ObjectId | None = None


class CreateAgentDto(RequestModel):
    """The body of ``POST /v1/agents`` (documented, but for the name of ``middleName``)."""

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
    asked = query.downstream_entity_association_id
    found = call.records.agents.where(association=asked, npn=_npns(call, query))
    if query.license_number is not None or query.state_code is not None:
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
    """Get an agent; 404 for an unknown id, or if no agency of the agent matches the query."""
    query = call.query(GetAgentQuery)
    entry = agent_of(call)
    wanted, code = query.downstream_entity_association_id, query.producer_code
    if wanted is None and code is None:
        return entry
    agencies = map(call.records.associations.get, entry.association_ids)
    matching = (
        one.id for one in agencies if wanted in (None, one.id) and code in (None, one.producer_code)
    )
    found = next(matching, None)
    if found is None:
        raise NotFound("Agent not found", reason="no association of the agent matches the query")
    return _at(entry, found)


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

    A known agent joins it, with the given members, and is restored (assumed).
    """
    body = call.body(CreateAgentDto)
    association_id = body.downstream_entity_association_id
    if association_id is not None:
        named_association(call, association_id)
    agents = call.records.agents
    known = agents.with_npn(body.npn)
    if known is not None:
        return _at(_created_again(call, known, body), association_id)
    entry = agents.add(
        npn=body.npn,
        email=body.email,
        middle_name=body.middle_name,
        downstream_entity_association_id=association_id,
        synchronized=False,
    )
    call.entity.settle()
    return entry


def _created_again(call: Call, entry: AgentEntry, body: CreateAgentDto) -> AgentEntry:
    """The known agent with the given members; restored, so that the caller's lists have it.

    Raises:
        Conflict: It is refused (option ``duplicate_agent``).
        InvalidInput: The same, with another value of the option.
    """
    if call.options.duplicate_agent != "joined":
        refusal = Conflict if call.options.duplicate_agent == "conflict" else InvalidInput
        raise refusal(
            "Agent with this NPN already exists",
            reason="option duplicate_agent='joined' answers with the agent",
        )
    agents = call.records.agents
    given = body.model_dump(exclude={"npn"}, exclude_none=True)
    if body.email is not None:
        given["is_deliverable"] = True
    if call.options.recreated_agent == "restored":
        if entry.is_deleted:
            agents.undelete(entry)
        if entry.is_archived:
            given["is_archived"] = False
    return agents.update(entry, **given) if given else entry


def _npns(call: Call, query: ListAgentsQuery) -> str | set[str] | None:
    """The NPNs that the query asks for; None if it asks for no agents of a license.

    Raises:
        InvalidInput: A license number without its state, or the reverse (assumed).
    """
    license_of = {"licenseNumber": query.license_number, "stateCode": query.state_code}
    alone = list(together(license_of, *license_of))
    if alone and call.options.agent_license_filter == "pair":
        raise InvalidInput(
            *alone, reason=f"{alone[0]}; option agent_license_filter='single' takes one of them"
        )
    if query.license_number is None and query.state_code is None:
        return query.npn
    return call.records.licenses.npns(query.license_number, query.state_code)


def _at(entry: AgentEntry, association_id: str | None) -> AgentEntry:
    """The agent as seen at the requested agency: an agent may be at several."""
    if association_id is None:
        return entry
    return entry.model_copy(update={"downstream_entity_association_id": association_id})


def _is_shown(call: Call, entry: AgentEntry) -> bool:
    gone = entry.is_deleted or entry.is_archived
    return not gone or call.options.deleted_agents == "listed"
