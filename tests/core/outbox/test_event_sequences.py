"""Events, whatever happens to the records before they are sent."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.resources.record import RecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

NPNS = ("101", "102", "103")

Step = Callable[[Sandbox, int], object]


def nth(records: list[str], number: int) -> str | None:
    """One of the ids; None if there are none."""
    return records[number % len(records)] if records else None


def on_agency(change: Callable[[Sandbox, str, int], object]) -> Step:
    """A change of one of the agencies, if there is one."""

    def step(sandbox: Sandbox, number: int) -> None:
        ids = [one.id for one in sandbox.associations]
        if agency := nth(ids, number):
            change(sandbox, agency, number)

    return step


def on_agent(change: Callable[[Sandbox, str, int], object]) -> Step:
    """A change of one of the agents, if there is one."""

    def step(sandbox: Sandbox, number: int) -> None:
        ids = [one.id for one in sandbox.agents]
        if agent := nth(ids, number):
            change(sandbox, agent, number)

    return step


def add_agent(sandbox: Sandbox, number: int) -> None:
    """An agent of one of the agencies, or of none."""
    agency = nth([*(one.id for one in sandbox.associations), ""], number)
    taken = {agent.npn for agent in sandbox.agents}
    npn = NPNS[number % 3]
    if npn not in taken:
        sandbox.agents.add(
            npn=npn,
            downstream_entity_association_id=agency or None,
            synchronized=number % 2 == 0,
        )


def lose_license(sandbox: Sandbox, number: int) -> None:
    """A license that is no longer active."""
    if license_id := nth([one.id for one in sandbox.licenses], number):
        sandbox.licenses.update(license_id, status="inactive")


STEPS: dict[str, Step] = {
    "add an agency": lambda sandbox, number: sandbox.associations.add(
        downstream_entity_npn=NPNS[number % 3] if number % 4 else None,
        invited=number % 5 == 0,
        synchronized=number % 2 == 0,
    ),
    "give an agency an NPN": on_agency(
        lambda sandbox, agency, number: sandbox.associations.update(
            agency, downstream_entity_npn=NPNS[number % 3]
        )
    ),
    "execute": on_agency(lambda sandbox, agency, _: sandbox.execute_agreement(agency)),
    "delete an agency": on_agency(lambda sandbox, agency, _: sandbox.associations.delete(agency)),
    "restore an agency": on_agency(
        lambda sandbox, agency, _: sandbox.associations.undelete(agency)
    ),
    "remove an agency": on_agency(lambda sandbox, agency, _: sandbox.associations.remove(agency)),
    "add an agent": add_agent,
    "delete an agent": on_agent(lambda sandbox, agent, _: sandbox.agents.delete(agent)),
    "remove an agent": on_agent(lambda sandbox, agent, _: sandbox.agents.remove(agent)),
    "add a license": lambda sandbox, number: sandbox.licenses.add(npn=NPNS[number % 3]),
    "lose a license": lose_license,
    "add an appointment": lambda sandbox, number: sandbox.appointments.add(npn=NPNS[number % 3]),
    "add a product": lambda sandbox, number: sandbox.products.add(
        states=["CA", "NY"][: number % 3]
    ),
    "not found": lambda sandbox, number: sandbox.npns.add(
        npn=NPNS[number % 3], entity_type="not found"
    ),
    "wait": lambda sandbox, number: sandbox.clock.advance(dt.timedelta(seconds=number * 31)),
}


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 11)), min_size=8, max_size=16)
)
def test_an_event_always_has_the_documented_form(steps: list[tuple[str, int]]) -> None:
    """A receiver that validates strictly takes each event that is sent."""
    sandbox = Sandbox()
    webhooks = TurrisWebhooks.of(sandbox)
    bodies: list[bytes] = []

    def keep(body: bytes, _: object) -> bool:
        bodies.append(body)
        return True

    for event in EVENTS:
        webhooks.register(keep, event=event)
    sandbox.products.add(required_company_code=None)
    agency = sandbox.associations.add(downstream_entity_npn=NPNS[0])
    sandbox.agents.add(npn=NPNS[1], downstream_entity_association_id=agency.id)
    for name, number in steps:
        with contextlib.suppress(RecordError):  # such as a second entry for an NPN
            STEPS[name](sandbox, number)
    webhooks.drain()
    for body in bodies:
        document = json.loads(body)
        EVENTS[document["webhookType"]].model_validate(document)
