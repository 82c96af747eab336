"""What one replica does, the others have taken over when they answer next: all of it, exactly."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from doubles.postgres import PostgresServer
from doubles.sandbox_client import Client
from doubles.sandbox_steps import STEPS, took
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mock_server.store.store import Store
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox

OPTIONS = Options(webhook_retries="stripe", webhook_disable_after=1)
NUMBERS = itertools.count()
SERIES = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 1)), max_size=15)


@pytest.fixture(scope="module")
def stores(postgres: PostgresServer) -> Iterator[list[Store]]:
    """Three servers that share a database."""
    url = postgres.new_database()
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(Store.open(url, print))) for _ in range(3)]


def state(sandbox: Sandbox) -> dict[str, Any]:
    """The state, without the order of rows where it means nothing."""
    with sandbox.lock:
        found = sandbox.snapshot()
        # The process that removed a record still has its moment, at which nothing happens then.
        sandbox._entity._plan_all()
        # A resend is due at once, whenever that is asked.
        found["due"] = "now" if sandbox._outbox.resends_wait else str(sandbox.next_due())
    del found["entity"]["settled_at"]  # nothing became due in between
    found["entity"]["watch"].sort()
    found["outbox"]["waiting"].sort(key=lambda row: row["number"])
    return found


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(series=SERIES)
@example(series=[("create", 0), ("remove", 0), ("webhook", 0)])
def test_any_series_of_steps(stores: list[Store], series: list[tuple[str, int]]) -> None:
    """Afterwards the replicas are equal, and equal to a third one that begins then."""
    name = f"tenant{next(NUMBERS)}"
    clients = [Client(Sandbox(OPTIONS, name=str(number))) for number in range(3)]
    for client, store in zip(clients[:2], stores[:2], strict=True):
        store.attach(client.sandbox, name)
    clients[1].bearer = clients[0].token()
    for step, which in series:
        with clients[which].sandbox.lock:
            took(clients[which], [step])
        clients[1 - which].bearer = clients[which].bearer
    for client in clients[:2]:
        client.sandbox.settle()
    first = state(clients[0].sandbox)
    assert state(clients[1].sandbox) == first
    stores[2].attach(clients[2].sandbox, name)
    assert state(clients[2].sandbox) == first
