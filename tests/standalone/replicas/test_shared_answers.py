"""Requests of one tenant that wait at the same time are answered in one transaction."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from doubles.postgres import PostgresServer
from doubles.replicas import Replica, replicas
from doubles.sandbox_client import Client

from mock_server.control.tenant import Tenant
from mock_server.serving.answers import together
from mock_server.serving.answers.together import AnswerOutcome
from mock_server.store.databases.conversation import Conversation
from mock_server.store.errors import StoreError
from pytest_turris.core.tenants import credentials_in
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request, Response


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer) -> Iterator[list[Replica]]:
    """Two replicas, whose first has a token."""
    with replicas(postgres.new_database(), 2) as found:
        yield found


@pytest.fixture
def replica(pair: list[Replica]) -> Replica:
    """The first of two replicas of a fresh sandbox, with a token."""
    pair[0].control("sandbox reset")
    pair[0].token()
    return pair[0]


def requests_of(client: Client, *sends: Callable[[], object]) -> list[Request]:
    """The requests that a client would send."""
    found: list[Request] = []

    def take(request: Request) -> Response:
        found.append(request)
        return Response(status=200, headers=(), body=b"")

    handle, client.handle = client.handle, take
    for send in sends:
        send()
    client.handle = handle
    return found


def adds(client: Client, *npns: str) -> list[Request]:
    """Requests that add agents."""
    agents = [{"npn": npn, "email": f"a{npn}@example.com"} for npn in npns]
    return requests_of(client, *(lambda a=agent: client.post("/v1/agents", a) for agent in agents))


def answers_to(
    replica: Replica, requests: list[Request], tenant: Tenant | None = None
) -> list[AnswerOutcome]:
    """The answers to requests that all wait before the first one is answered."""
    found = tenant or replica.server.tenants.default
    assert found.kept is not None
    lock: Any = found.kept.own_lock

    async def asked() -> list[Any]:
        lock.acquire()
        threads = replica.server._answers._threads
        assert threads is not None
        waiting = [replica.server._answers._together.ask(found, one, threads) for one in requests]
        lock.release()
        return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 60)

    return asyncio.run(asked())


def statuses(outcomes: list[AnswerOutcome]) -> list[int]:
    """Their statuses."""
    return [one.status for one in outcomes if isinstance(one, Response)]


def test_they_are_one_commit_of_several_steps(
    replica: Replica, pair: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In their order; each write can be taken back alone, and another server has the same."""
    said: list[Any] = []
    say = Conversation.say

    def note(self: Conversation, queries: Any) -> Any:
        said.append(queries)
        return say(self, queries)

    monkeypatch.setattr(Conversation, "say", note)
    reading = requests_of(replica, lambda: replica.get("/v1/agents"))
    requests = [*adds(replica, "11111111"), *reading, *adds(replica, "22222222"), *reading]
    begun = replica.control("history list").items[-1].number
    replica.server._worker.stop()
    said.clear()
    answered = answers_to(replica, requests)
    assert len([one for one in said if ("COMMIT", ()) in one[1:]]) == 1
    assert statuses(answered) == [201, 200, 201, 200]
    sizes = [len(one.json()["data"]) for one in answered[1::2] if isinstance(one, Response)]
    assert sizes == [1, 2]
    steps = [step for step in replica.control("history list").items if step.number > begun]
    assert [step.what for step in steps] == ["POST /v1/agents -> 201"] * 2
    pair[1].sandbox.settle()
    assert [one.status for one in pair[1].sandbox.journal][-4:] == [201, 200, 201, 200]
    pair[1].control("history rewind", step=steps[0].number)
    replica.sandbox.settle()
    assert [agent.npn for agent in replica.sandbox.agents] == ["11111111"]


def test_more_than_fit_wait_for_the_next_transaction(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is lost between two, and the order stays."""
    monkeypatch.setattr(together, "MOST_TOGETHER", 2)
    npns = [f"1234567{digit}" for digit in range(5)]
    assert statuses(answers_to(replica, adds(replica, *npns))) == [201] * 5
    assert [agent.npn for agent in replica.sandbox.agents] == npns


def test_fault_of_one_is_its_own(replica: Replica) -> None:
    """A scripted broken connection, between two others."""
    replica.control("faults add", operation="create_agent", error="reset")
    first, second = adds(replica, "11111111", "22222222")
    reading = requests_of(replica, lambda: replica.get("/v1/agents"))
    before, broken, after = answers_to(replica, [*reading, first, second])
    assert isinstance(broken, ConnectionFailure)
    assert statuses([before, after]) == [200, 201]


def test_bug_leaves_no_request_waiting(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were taken fail with it; the next one is answered."""

    def fail() -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(replica.server.tenants.default, "end_step", fail)
        outcomes = answers_to(replica, adds(replica, "11111111"))
    assert [type(one) for one in outcomes] == [ZeroDivisionError]
    assert statuses(answers_to(replica, adds(replica, "22222222"))) == [201]


def test_bug_before_the_first_request_leaves_none_waiting(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one in taking over what another server did; what comes next is answered."""

    def fail() -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(replica.server.tenants.default.sandbox.lock, "_begin", fail)
        outcomes = answers_to(replica, adds(replica, "11111111", "22222222"))
    assert [type(one) for one in outcomes] == [ZeroDivisionError] * 2
    assert statuses(answers_to(replica, adds(replica, "33333333"))) == [201]


def test_all_that_wait_learn_that_the_database_does_not_answer(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, also those that no longer fit: they would wait for the same."""
    monkeypatch.setattr(together, "MOST_TOGETHER", 2)

    def fail(self: Conversation, queries: object) -> None:
        raise StoreError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(Conversation, "say", fail)
        assert statuses(answers_to(replica, adds(replica, *["11111111"] * 5))) == [503] * 5
    assert statuses(answers_to(replica, adds(replica, "22222222"))) == [201]


def test_only_those_of_a_failed_commit_are_in_doubt(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are answered in the next transaction."""
    monkeypatch.setattr(together, "MOST_TOGETHER", 2)
    say = Conversation.say
    failed: list[bool] = []

    def fail_once(self: Conversation, queries: Any) -> Any:
        # With what was written: the workers of both servers look for deliveries meanwhile.
        if ("COMMIT", ()) in queries[1:] and not failed:
            failed.append(True)
            raise StoreError("no answer")
        return say(self, queries)

    replica.server._worker.stop()
    monkeypatch.setattr(Conversation, "say", fail_once)
    npns = ["11111111", "22222222", "33333333"]
    assert statuses(answers_to(replica, adds(replica, *npns))) == [503, 503, 201]
    assert [agent.npn for agent in replica.sandbox.agents] == ["33333333"]


def test_tenant_that_another_server_has_deleted(replica: Replica, pair: list[Replica]) -> None:
    """Its credentials are unknown from then on: 401, and not 503."""
    replica.control("tenants create", name="gone")
    tenant = replica.server.tenants.get("gone")
    assert tenant is not None
    client = Client(tenant.sandbox)
    client.token()
    requests = requests_of(client, *[lambda: client.get("/v1/agents")] * 2)
    assert statuses(answers_to(replica, requests, tenant)) == [200, 200]
    pair[1].control("tenants delete", name="gone")
    assert statuses(answers_to(replica, requests, tenant)) == [401, 401]


def test_tenant_that_another_server_has_made(replica: Replica, pair: list[Replica]) -> None:
    """Its credentials are looked up where all keep theirs, before the request is refused."""
    replica.server._worker.stop()  # it looks at all tenants
    pair[1].control("tenants create", name="new")
    tenant = pair[1].server.tenants.get("new")
    assert tenant is not None
    client = Client(tenant.sandbox)
    (request,) = requests_of(client, client.ask_for_token)
    answers = replica.server._answers
    assert answers._tenants.known(credentials_in(request)) is None

    async def asked() -> Response:
        answer = answers.answer(request)
        assert not isinstance(answer, Response)
        return await answer

    assert asyncio.run(asked()).status == 201


def test_client_that_has_gone(replica: Replica) -> None:
    """Its request is carried out, and its answer is dropped."""
    tenant = replica.server.tenants.default
    assert tenant.kept is not None
    lock: Any = tenant.kept.own_lock

    async def asked() -> None:
        lock.acquire()
        shared, threads = replica.server._answers._together, replica.server._answers._threads
        assert threads is not None
        first, second = (
            shared.ask(tenant, one, threads) for one in adds(replica, "11111111", "22222222")
        )
        first.cancel()
        lock.release()
        assert (await asyncio.wait_for(second, 60)).status == 201

    asyncio.run(asked())
    assert [agent.npn for agent in replica.sandbox.agents] == ["11111111", "22222222"]


def test_long_work_does_not_hold_back_what_is_answered(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded time of work, the rest waits for the next transaction; each has an answer."""
    monkeypatch.setattr(together, "LONGEST_BATCH", 0.0)
    npns = ["11111111", "22222222", "33333333"]
    begun = time.monotonic()
    assert statuses(answers_to(replica, adds(replica, *npns))) == [201] * 3
    assert time.monotonic() - begun < 60
