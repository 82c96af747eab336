"""A sandbox as a whole: what it holds, named data, what happened, agreements, reset."""

from typing import Any

from pydantic import Field
from pydantic.alias_generators import to_camel

from mock_server.control.control import ControlCall, control
from mock_server.control.models import Listing, Moment, Nothing, Parameters, Part, Result, part
from mock_server.control.rows.state.record_models import RECORD_KINDS
from pytest_turris.core.entity.event_facts import EventKind
from pytest_turris.core.entity.seeds import SeedData


class SandboxState(Result):
    """What a sandbox holds, in numbers."""

    name: str
    base_url: str
    environment: str
    upstream_entity_id: str
    client_id: str
    now: Moment
    token_requests: int
    exchanges: int
    faults: int
    webhooks: int
    waiting_deliveries: int
    records: dict[str, int]


class Seed(Parameters):
    """Which data."""

    name: SeedData = Field(description="The name of the data.")


class Agreement(Parameters):
    """Whose agreement."""

    id: str = Field(min_length=1, max_length=200, description="The id of the association.")


class EventFilters(Part):
    """Which events."""

    kind: EventKind | None = Field(None, description="The webhookType.")
    since: int = Field(0, ge=0, description="Only those after the event with this number.")


class EventShown(Result):
    """One change for which Turris sends webhooks."""

    number: int
    at: Moment
    kind: EventKind
    facts: dict[str, Any]


@control("sandbox", "show", "GET", "/sandbox", words=("show",))
def _show(call: ControlCall, given: Nothing) -> SandboxState:
    """Show what the sandbox holds, in numbers."""
    del given
    return state_of(call)


@control("sandbox", "seed", "POST", "/sandbox/seed", words=("seed",), positional=("name",))
def _seed(call: ControlCall, given: Seed) -> SandboxState:
    """Add named data: small_agency, national_network or messy."""
    call.tenant.sandbox.seed(given.name)
    return state_of(call)


@control("sandbox", "reset", "POST", "/sandbox/reset", words=("reset",))
def _reset(call: ControlCall, given: Nothing) -> SandboxState:
    """Reset the sandbox to its state at the start; its credentials stay the same."""
    del given
    call.tenant.reset()
    return state_of(call)


@control(
    "associations",
    "execute-agreement",
    "POST",
    "/associations/{id}/execute-agreement",
    words=("execute-agreement",),
)
def execute_agreement(call: ControlCall, given: Agreement) -> SandboxState:
    """Execute an association's producer agreement, as if both parties had signed it."""
    call.tenant.sandbox.execute_agreement(given.id)
    return state_of(call)


@control("events", "list", "GET", "/events", words=("events",))
def _list_events(call: ControlCall, given: EventFilters) -> Listing[EventShown]:
    """List the changes for which Turris sends webhooks, oldest first."""
    events = call.tenant.sandbox.events.since(given.since)
    found = [event for event in events if given.kind in (None, event.kind)]
    shown = part(found, given)
    return Listing(
        total=shown["total"], items=[EventShown.model_validate(one) for one in shown["items"]]
    )


ROWS = (_show, _seed, _reset, execute_agreement, _list_events)


def state_of(call: ControlCall) -> SandboxState:
    """What the sandbox holds, in numbers."""
    sandbox = call.tenant.sandbox
    outbox = sandbox.outbox
    return SandboxState(
        name=call.tenant.name,
        base_url=call.tenants.server.base_url,
        environment=sandbox.options.environment,
        upstream_entity_id=sandbox.upstream_entity_id,
        client_id=sandbox.client.client_id,
        now=sandbox.clock.now(),
        token_requests=sandbox.token_requests,
        exchanges=sandbox.journal.seen,
        faults=len(list(sandbox.faults)),
        webhooks=len(outbox.endpoints),
        waiting_deliveries=len(outbox),
        records={
            to_camel(name): len(sandbox.collection(kind)) for name, kind in RECORD_KINDS.items()
        },
    )
