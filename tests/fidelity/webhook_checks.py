"""The checks of facts about webhooks: what a receiver gets."""

import hashlib
import hmac
import json
from typing import Any

from fidelity.doors import Received
from fidelity.shapes import check_member, check_order, values_at
from fidelity.specification import Fact
from fidelity.world import World

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"


def event(world: World, fact: Fact) -> None:
    """The event is sent."""
    assert _events(world, fact.says["type"])


def envelope(world: World, fact: Fact) -> None:
    """The event has these members, in this order."""
    for one in _events(world, fact.says["type"]):
        assert list(one) == fact.says["order"]


def debounced(world: World, fact: Fact) -> None:
    """The event waits for other changes, or is sent at once."""
    world.listen()
    _cause(world, fact.says["type"])
    waits = fact.says["type"] not in {_type(one) for one in world.drained()}
    assert waits == fact.says["debounced"]


def member(world: World, fact: Fact) -> None:
    """The payload has the member, with this type."""
    check_member(_payloads(world, fact), f"[]{fact.says['path']}", fact.says["type of"])


def order(world: World, fact: Fact) -> None:
    """The members of an object in the payload stand in this order."""
    says = fact.says
    check_order(_payloads(world, fact), f"[]{says['path']}", says["order"], whole=says["whole"])


def value(world: World, fact: Fact) -> None:
    """The member has this value."""
    found = values_at(f"[]{fact.says['path']}", _payloads(world, fact))
    assert found
    assert set(found) == {fact.says["is"]}


def word(world: World, fact: Fact) -> None:
    """The word of the published example is sent, as a whole text."""
    kind = "AGENT" if "agent-" in fact.page else "DOWNSTREAM_ENTITY"
    events = _events(world, f"{kind}_COMPLIANCE_STATUS_CHANGE")
    assert json.dumps(fact.says["word"]) in json.dumps(events)


def delivery(world: World, fact: Fact) -> None:
    """The request to the receiver."""
    world.listen()
    world.sandbox.execute_agreement(world.other_agency)
    (got,) = world.drained()
    what, wanted = fact.says["what"], fact.says["is"]
    if what == "method":
        assert got.method == wanted
    elif what == "content-type":
        assert got.headers["content-type"].partition(";")[0] == wanted
    elif what == "signature header":
        assert got.headers.get(wanted.lower())
    else:
        assert wanted in hashlib.algorithms_available, wanted
        key = str(world.sandbox.webhook_secret).encode()
        signature = hmac.new(key, got.body, wanted).hexdigest()
        assert got.headers["x-turris-signature"] == signature


def answered(world: World, fact: Fact) -> None:
    """A receiver's answer of this status is a success, or not."""
    webhooks = world.listen()
    world.receiver.status = fact.says["status"]
    world.sandbox.execute_agreement(world.other_agency)
    world.drained()
    (attempt,) = webhooks.attempts
    assert attempt.succeeded == fact.says["delivered"]


def nothing_said(world: World, fact: Fact) -> None:
    """The member is absent, not empty, where there is nothing to say."""
    events = _events(world, "AGENT_COMPLIANCE_STATUS_CHANGE")
    path = "[].payload[].products[].states[].licenseStatus"
    statuses = values_at(path, events)
    assert [one for one in statuses if fact.says["member"] not in one]
    assert all(one[fact.says["member"]] for one in statuses if fact.says["member"] in one)


def _payloads(world: World, fact: Fact) -> list[Any]:
    return [one["payload"] for one in _events(world, fact.says["type"])]


def _events(world: World, kind: str) -> list[Any]:
    """The events of a type, which are caused once for all facts."""
    if not world.events:
        before = world.sandbox.snapshot()
        world.listen()
        for one in ("AGENT_", AGREEMENT):
            _cause(world, one)
        _drain(world)
        for npn in ("11", "22"):
            world.sandbox.licenses.add(npn=npn)
            world.sandbox.appointments.add(npn=npn)
        _drain(world)
        world.restore(before)
    assert kind in world.events, f"no event {kind}"
    return world.events[kind]


def _drain(world: World) -> None:
    world.sandbox.clock.advance(minutes=3)
    for one in world.drained():
        world.events.setdefault(_type(one), []).append(json.loads(one.body))


def _cause(world: World, kind: str) -> None:
    """Let happen what the event reports."""
    box = world.sandbox
    if kind == AGREEMENT:
        box.associations.update(world.agency, contract_container_template_id=world.template.id)
        box.execute_agreement(world.agency)
        return
    if "SYNCHRONIZED" in kind:
        world.send("POST /v1/agents/{agentId}/sync")
        box.clock.advance(minutes=2)
        return
    world.send("POST /v1/agents/{agentId}/sync")
    for npn in ("11", "22"):
        for held in box.licenses.where(npn=npn):
            if held.state_code == "CA":
                box.licenses.remove(held)
        for appointment in box.appointments.where(npn=npn):
            if appointment.state_code == "CA":
                box.appointments.remove(appointment)


def _type(received: Received) -> str:
    return str(json.loads(received.body)["webhookType"])


CHECKS = {
    "event": event,
    "event envelope": envelope,
    "event debounced": debounced,
    "event member": member,
    "event order": order,
    "event value": value,
    "word": word,
    "delivery": delivery,
    "answered": answered,
    "nothing_said": nothing_said,
}
"""The check of each kind of fact."""
