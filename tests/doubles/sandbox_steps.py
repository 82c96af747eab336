"""What may happen to a sandbox, as steps by name; for random series of them."""

import datetime as dt
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from doubles.sandbox_client import NOW, Client
from pytest_turris.core.outbox.attempts import Attempt
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Response

KEY = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}
AGENTS = "/v1/agents"
Step = Callable[[Client], object]


T = TypeVar("T")
ROW = {
    "policyNumber": "P-1",
    "riskStateCode": "CA",
    "policyTransactionType": "New Business",
    "policyTransactionDate": "2025-01-15",
    "agencyName": "Acme",
}


def each(do: Callable[[T], object], items: Iterable[T]) -> None:
    """Do something with each of the items that there are now."""
    for item in list(items):
        do(item)


def make_expiring(sandbox: Sandbox) -> None:
    """Add an agent whose license expires in half an hour."""
    sandbox.products.add(states=("CA",))
    association = sandbox.associations.add()
    agent = sandbox.agents.add(downstream_entity_association_id=association.id)
    end = sandbox.clock.now() + dt.timedelta(minutes=30)
    sandbox.licenses.add(npn=agent.npn, state_code="CA", expiration_date=end)
    sandbox.appointments.add(npn=agent.npn, state_code="CA")


def hooks(client: Client) -> list[Endpoint]:
    """The registered webhooks."""
    return list(client.sandbox.outbox.endpoints)


def register(sandbox: Sandbox) -> None:
    """Register a webhook for two types of event."""
    for kind in ("PRODUCER_AGREEMENT_EXECUTED", "AGENT_COMPLIANCE_STATUS_CHANGE"):
        sandbox.outbox.register("http://127.0.0.1:9/", kind, sandbox.clock.now())


def remove_webhook(sandbox: Sandbox) -> None:
    """Remove the first webhook, if there is one."""
    for endpoint in list(sandbox.outbox.endpoints)[:1]:
        sandbox.outbox.endpoints.remove(endpoint.id)


def attempt(sandbox: Sandbox, error: str) -> None:
    """Take out what is to be sent again, or what is due, and record an attempt."""
    outbox, now = sandbox.outbox, sandbox.clock.now()
    again = outbox.pop_resend()
    delivery = again or outbox.pop_delivery(now)
    if delivery is None:
        return
    done = Attempt(
        delivery=delivery.number,
        attempt=0 if again else delivery.attempts + 1,
        at=now,
        status=500 if error else 204,
        latency=0.25,
        error=error,
        signature="***-abcd",
    )
    delivery.body, delivery.headers = "{}", [["X-Turris-Signature", "abcd"]]
    if again:
        outbox.record_resend(delivery, done)
    else:
        outbox.record(delivery, done)


def give_up(sandbox: Sandbox) -> None:
    """Take out what is due, and give it up."""
    if delivery := sandbox.outbox.pop_delivery(sandbox.clock.now()):
        sandbox.outbox.give_up(delivery, "failed")


def fail(client: Client) -> Response | None:
    """A call that a fault may leave without an answer."""
    try:
        return client.get(AGENTS)
    except ConnectionFailure:
        return None


def remove_one(sandbox: Sandbox) -> None:
    """Remove the first agent, if there is one."""
    for agent in list(sandbox.agents)[:1]:
        sandbox.agents.remove(agent)


STEPS: dict[str, Step] = {
    "token": lambda c: c.ask_for_token(),
    "wrong secret": lambda c: c.ask_for_token(secret="wrong"),
    "list": fail,
    "unknown path": lambda c: c.get("/nowhere?token=canary-0123456789"),
    "create": lambda c: c.post(AGENTS, {"npn": "1", "email": "a@example.com"}),
    "invalid": lambda c: c.post(AGENTS, {"npn": 5}),
    "invite": lambda c: c.invite(),
    "invite by key": lambda c: c.invite(KEY),
    "add agent": lambda c: c.sandbox.agents.add(),
    "add agent at an agency": lambda c: c.sandbox.agents.add(
        downstream_entity_association_id=c.sandbox.associations.add().id
    ),
    "add license": lambda c: c.sandbox.licenses.add(npn="1"),
    "remove": lambda c: remove_one(c.sandbox),
    "pass time": lambda c: c.sandbox.clock.advance(seconds=20.000_001),
    "pass an hour": lambda c: c.sandbox.clock.advance(hours=1),
    "go back": lambda c: c.sandbox.clock.move_to(NOW - dt.timedelta(days=1)),
    "fault": lambda c: str(c.sandbox.faults.add("*", status=503, delay=0.25, headers={"a": "b"})),
    "reset": lambda c: str(c.sandbox.faults.add("list_agents", error="reset", times=None)),
    "rotate": lambda c: c.sandbox.credentials.rotate(
        c.sandbox.client, overlap=dt.timedelta(seconds=30)
    ),
    "issue": lambda c: c.sandbox.credentials.issue(permissions=["read"]),
    "restricted": lambda c: c.sandbox.credentials.issue_restricted(allowed=["10.0.0.0/8", "::1"]),
    "revoke": lambda c: c.sandbox.credentials.revoke(c.sandbox.credentials.issue()),
    "revoke tokens": lambda c: c.sandbox.tokens.revoke_all(),
    "exhaust": lambda c: c.sandbox.limits.exhaust("write"),
    "forget": lambda c: c.sandbox.idempotency.forget(),
    "reset limits": lambda c: c.sandbox.limits.reset(),
    "seed": lambda c: c.sandbox.seed("messy"),
    "look up": lambda c: c.sandbox.npns.occupy(dt.timedelta(minutes=1)),
    "upload": lambda c: c.sandbox.uploads.enqueue([ROW]),
    "sync": lambda c: each(c.sandbox._entity.enqueue_sync, c.sandbox.agents),
    "expiring": lambda c: make_expiring(c.sandbox),
    "webhook": lambda c: register(c.sandbox),
    "remove webhook": lambda c: remove_webhook(c.sandbox),
    "enable webhooks": lambda c: each(c.sandbox.outbox.endpoints.enable, [e.id for e in hooks(c)]),
    "agreement": lambda c: c.sandbox.execute_agreement(c.sandbox.associations.add()),
    "test event": lambda c: [
        c.sandbox.outbox.request_test(e, c.sandbox.clock.now()) for e in hooks(c)
    ],
    "resend": lambda c: each(c.sandbox.outbox.request_resend, c.sandbox.outbox),
    "deliver": lambda c: each(partial(attempt, c.sandbox), [""] * 3),
    "fail to deliver": lambda c: each(partial(attempt, c.sandbox), ["refused"] * 3),
    "give up": lambda c: give_up(c.sandbox),
    "clear faults": lambda c: c.sandbox.faults.clear(),
    "remove fault": lambda c: each(c.sandbox.faults.remove, list(c.sandbox.faults)[:1]),
    "hostile": lambda c: str(c.sandbox.faults.hostile("AR-27", times=1)),
    "go on from a snapshot": lambda c: c.sandbox.restore(c.sandbox.snapshot()),
}


def took(client: Client, names: list[str]) -> list[object]:
    """The results of the steps, one after the other; a broken connection as its text."""
    results: list[object] = []
    for name in names:
        try:
            results.append(STEPS[name](client))
        except ConnectionFailure as failure:
            results.append(str(failure))
    return results
