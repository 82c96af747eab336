"""The operations of Turris that the directory uses: one function per operation, no I/O."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

from agency_directory.exchange import Call
from agency_directory.models import Agency, Agent, Invitation

AGENTS = "/v1/agents"
ASSOCIATIONS = "/v1/downstream-entity-associations"

T = TypeVar("T")
Record = TypeVar("Record", Agent, Agency)


def agents(
    *,
    npn: str | None = None,
    association_id: str | None = None,
    license_number: str | None = None,
    state_code: str | None = None,
) -> Call[list[Agent]]:
    """List agents; filter by NPN, or by licence and its state, but not by both."""
    params = {
        "npn": npn,
        "downstreamEntityAssociationId": association_id,
        "licenseNumber": license_number,
        "stateCode": state_code,
    }
    return _get(AGENTS, _many(Agent.from_wire), params)


def agent(agent_id: str) -> Call[Agent]:
    """Get one agent."""
    return _get(f"{AGENTS}/{_id(agent_id)}", _same(agent_id, Agent.from_wire))


def add_agent(
    *, npn: str, email: str | None = None, association_id: str | None = None
) -> Call[Agent]:
    """Add an agent. Not repeated if the response is lost, because Turris could add it twice."""
    body = {"npn": npn, "email": email, "downstreamEntityAssociationId": association_id}
    return Call("POST", AGENTS, read=Agent.from_wire, json=_given(body))


def agencies(*, email_domain: str | None = None, npn: str | None = None) -> Call[list[Agency]]:
    """List agencies; filter by one property at most."""
    params = {"emailDomain": email_domain, "downstreamEntityNpn": npn}
    return _get(ASSOCIATIONS, _many(Agency.from_wire), params)


def agency(association_id: str) -> Call[Agency]:
    """Get one agency by the id of our association with it."""
    path = f"{ASSOCIATIONS}/{_id(association_id)}"
    return _get(path, _same(association_id, Agency.from_wire))


def invite_agency(
    *,
    name: str,
    first_name: str,
    last_name: str,
    email: str,
    category: str = "agency",
    is_npn_required: bool = True,
    by_email: bool = True,
    producer_code: str | None = None,
) -> Call[Invitation]:
    """Invite an agency: only once, even if the request has to be repeated."""
    body = {
        "downstreamEntityName": name,
        "firstName": first_name,
        "lastName": last_name,
        "email": email,
        "category": category,
        "isNpnRequired": is_npn_required,
        "useInviteUrl": not by_email,
        "producerCode": producer_code,
    }
    return Call(
        method="POST",
        path=f"{ASSOCIATIONS}/invite",
        read=Invitation.from_wire,
        json=_given(body),
        idempotency_key=str(uuid4()),
        repeatable=True,
    )


def _get(
    path: str, read: Callable[[Any], T], params: Mapping[str, str | None] | None = None
) -> Call[T]:
    return Call("GET", path, read=read, params=_given(params or {}), repeatable=True)


def _given(values: Mapping[str, T | None]) -> dict[str, T]:
    return {name: value for name, value in values.items() if value is not None}


def _id(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{24}", value):
        raise ValueError("not an id that Turris uses")
    return value


def _many(read: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    return lambda entries: [read(entry) for entry in entries]


def _same(record_id: str, read: Callable[[Any], Record]) -> Callable[[Any], Record]:
    def read_same(entry: Any) -> Record:
        record = read(entry)
        if record.id != record_id:
            raise ValueError("the response contains another record")
        return record

    return read_same
