"""A store that fails while the server serves: each part says so, and goes on."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from inspect import isawaitable

import pytest
from doubles.served_here import served

from mock_server.serving import delivery_worker
from mock_server.serving.delivery_worker import Deliveries, DeliveryWorker
from mock_server.serving.server import StandaloneSandbox
from mock_server.store.errors import StoreError, TenantGoneError
from mock_server.store.store import TenantRow
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request
from pytest_turris.webhooks.engine import DeliveryError

LIST = Request(method="GET", path="/v1/agents")


@pytest.fixture
def server() -> Iterator[StandaloneSandbox]:
    """A server without a store; each test lets one fail."""
    with served() as running:
        yield running


def test_a_request_whose_tenant_cannot_be_looked_up(
    server: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is answered with 503 in Turris' shape."""

    def owners(_request: Request) -> None:
        raise StoreError("the database does not answer")

    monkeypatch.setattr(server._answers, "_own", owners)
    answer = server._answers._answer_alone(LIST)
    assert answer.status == 503
    assert "the outcome of this request is unknown" in answer.json()["errorMessage"][0]


def test_a_request_that_may_be_for_a_test(
    server: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shared store is asked in another thread; it is answered with 503 if that fails."""
    threads: list[int] = []

    def owners(_request: Request) -> None:
        threads.append(threading.get_ident())
        raise StoreError("the database does not answer")

    monkeypatch.setattr(type(server._answers._hub), "is_in_use", True)
    monkeypatch.setattr(server._answers, "_own", owners)
    other = Sandbox(Options(seed=9))
    token = other.tokens.issue(other.client).text
    request = replace(LIST, headers=(("authorization", f"Bearer {token}"),))

    async def asked() -> int:
        answer = server._answers.answer(request)
        assert isawaitable(answer)
        return (await answer).status

    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(server._answers, "_threads", pool)
        assert asyncio.run(asked()) == 503
    assert threads != [threading.get_ident()]


def test_a_control_at_a_shared_store_leaves_the_event_loop(
    server: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may wait for another server."""
    from mock_server.control.door import ControlDoor

    monkeypatch.setattr(server.tenants, "is_shared", True)
    door = ControlDoor(server.tenants, "token", print)

    async def asked() -> int:
        answer = door.control(Request(method="GET", path="/__sandbox__/clock"))
        assert isawaitable(answer)
        return (await answer).status

    assert asyncio.run(asked()) == 200


def test_a_tenant_that_another_server_deleted_meanwhile(
    server: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not found; to forget what is not there changes nothing."""

    def added(*_: object) -> None:
        raise TenantGoneError("gone")

    monkeypatch.setattr(server.tenants, "_added", added)
    row = TenantRow(options=Options(), idle_limit=None, facts={}, idle=0)
    assert server.tenants._resumed("gone", row) is None
    server.tenants.forget("gone")
    assert server.tenants.names == ("default",)


def test_a_delivery_that_takes_longer_than_an_attempt_may(
    server: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who wants the engine or a receiver alone does not wait for it forever."""
    monkeypatch.setattr(delivery_worker, "_LONGEST_ATTEMPT", 0.01)
    deliveries = server.tenants.default.deliveries
    with deliveries.only_to(["slow"]):
        with pytest.raises(DeliveryError, match="still under way"), deliveries.alone():
            pass
        with pytest.raises(DeliveryError, match="still under way"), deliveries.only_to(["slow"]):
            pass


class FailingDeliveries:
    """One due delivery, whose result cannot be recorded; then the store fails in the search."""

    def __init__(self) -> None:
        self.engine = self
        self.searches = 0
        self.looked_again = threading.Event()

    def claim_all(self) -> Iterator[str]:
        """One endpoint at the first search; later ones fail."""
        self.searches += 1
        if self.searches > 1:
            self.looked_again.set()
            raise StoreError("the disk is full")
        yield "endpoint"

    def first(self, _endpoint_id: str) -> "FailingDeliveries":
        """The claimed delivery."""
        return self

    @property
    def delivery(self) -> "FailingDeliveries":
        """As ``Claimed`` has it."""
        return self

    number = 7

    def send(self, _taken: object) -> None:
        """Send it, and fail to record that."""
        raise StoreError("the database does not answer")

    def settle_first(self, _endpoint_id: str) -> bool:
        """Whether there is another one."""
        return False


def test_webhooks_that_the_store_does_not_take() -> None:
    """The log has each reason, none of which is a bug; the worker goes on."""
    lines: list[str] = []
    failing = FailingDeliveries()
    worker = DeliveryWorker(log=lines.append, watched=lambda: [failing])  # type: ignore[list-item] # a double
    try:
        assert failing.looked_again.wait(60)
    finally:
        worker.stop()
    assert "cannot record webhook 7: the database does not answer" in lines
    assert "cannot look for due webhooks: the disk is full" in lines


def test_no_error_ends_the_search_for_due_webhooks() -> None:
    """It is logged as a bug, and the worker looks again."""
    lines: list[str] = []
    looked_again = threading.Event()

    def watched() -> list[Deliveries]:
        if lines:
            looked_again.set()
            return []
        raise KeyError("a tenant")

    worker = DeliveryWorker(log=lines.append, watched=watched)
    try:
        assert looked_again.wait(60)
    finally:
        worker.stop()
    words = "cannot look for due webhooks: KeyError('a tenant')"
    assert lines == [f"{words} (a bug in the sandbox; please report it)"]
