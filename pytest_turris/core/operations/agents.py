"""Agents: list with its filters, get, create."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from pytest_turris.core.call import Call
from pytest_turris.core.errors import NotFound
from pytest_turris.core.model import Email, ObjectId, StateCode
from pytest_turris.core.records import Record
from pytest_turris.core.resources.agents import AgentEntry


class ListAgentsQuery(BaseModel):
    """``npn`` excludes ``licenseNumber`` with ``stateCode`` (documented)."""

    model_config = ConfigDict(alias_generator=to_camel)

    downstream_entity_association_id: ObjectId | None = None
    npn: str | None = None
    license_number: str | None = None
    state_code: StateCode | None = None

    @model_validator(mode="after")
    def _exclusions(self) -> Self:
        if self.npn is not None and (self.license_number or self.state_code):
            raise PydanticCustomError(
                "exclusive", "npn is mutually exclusive with licenseNumber/stateCode"
            )
        if (self.license_number is None) != (self.state_code is None):
            raise PydanticCustomError(
                "together", "licenseNumber and stateCode must be provided together"
            )
        return self


class GetAgentQuery(BaseModel):
    """Both narrow the answer to an agent of that agency (documented)."""

    model_config = ConfigDict(alias_generator=to_camel)

    producer_code: str | None = None
    downstream_entity_association_id: ObjectId | None = None


class CreateAgentDto(BaseModel):
    """The body of ``POST /v1/agents`` (documented, ``middleName`` in the newer copy)."""

    model_config = ConfigDict(alias_generator=to_camel)

    npn: Annotated[str, StringConstraints(min_length=1)]
    email: Email | None = None
    downstream_entity_association_id: ObjectId | None = None
    middle_name: Annotated[str, StringConstraints(max_length=100)] | None = None


def list_agents(call: Call) -> list[Record]:
    """The agents of the upstream entity that match every given filter."""
    query = call.query(ListAgentsQuery)
    found = list(call.entity.agents)
    if query.downstream_entity_association_id is not None:
        wanted = query.downstream_entity_association_id
        found = [entry for entry in found if wanted in entry.association_ids]
    if query.npn is not None:
        found = [entry for entry in found if entry.npn == query.npn]
    if query.license_number is not None and query.state_code is not None:
        npns = call.entity.licenses.npns(query.license_number, query.state_code)
        found = [entry for entry in found if entry.npn in npns]
    return list(found)


def get_agent(call: Call) -> AgentEntry:
    """One agent; 404 if there is none, or none at the agency that the query names."""
    query = call.query(GetAgentQuery)
    entry = call.entity.agents.find(call.parameters["agentId"])
    if entry is None:
        raise NotFound("Agent not found", reason="no agent with this id")
    wanted = query.downstream_entity_association_id
    if wanted is not None and wanted not in entry.association_ids:
        raise NotFound("Agent not found", reason="the agent is not with this association")
    if query.producer_code is not None:
        association = call.entity.associations.with_producer_code(query.producer_code)
        if association is None or association.id not in entry.association_ids:
            raise NotFound("Agent not found", reason="the agent is not with this producer code")
    return entry


def create_agent(call: Call) -> AgentEntry:
    """A new agent by NPN, at an association if one is given."""
    body = call.body(CreateAgentDto)
    association_id = body.downstream_entity_association_id
    if association_id is not None and call.entity.associations.find(association_id) is None:
        raise NotFound("Downstream entity association not found")
    return call.entity.agents.add(
        npn=body.npn,
        email=body.email,
        middle_name=body.middle_name,
        downstream_entity_association_id=association_id,
    )
