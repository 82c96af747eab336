"""Two or three servers that share a database are one sandbox."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest
from doubles.postgres import PostgresServer
from doubles.replicas import Replica, RoutedClient, replicas

from mock_server.control.wire.errors import ControlError
from mock_server.store.errors import StoreError
from mock_server.store.schema import SCHEMA_VERSION
from mock_server.store.store import Store
from pytest_turris.core.options import Options

T = TypeVar("T")
KEY = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}


@pytest.fixture(scope="module")
def three(postgres: PostgresServer) -> Iterator[list[Replica]]:
    """Three replicas; each test resets their sandbox."""
    with replicas(postgres.new_database(), 3) as found:
        yield found


@pytest.fixture
def servers(three: list[Replica]) -> list[Replica]:
    """Three replicas of a fresh sandbox, whose clients have one token."""
    three[0].control("sandbox reset")
    bearer = three[0].token()
    for replica in three:
        replica.bearer = bearer
    return three


def at_once(*works: Callable[[], T]) -> list[T]:
    """Do all at the same moment, and return what each returns."""
    together = threading.Barrier(len(works))

    def begin(work: Callable[[], T]) -> T:
        together.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(begin, works))


def test_token_is_accepted_by_all_and_refused_by_all(servers: list[Replica]) -> None:
    """At once: the next request already knows."""
    assert [one.get("/v1/agents").status for one in servers] == [200, 200, 200]
    servers[2].control("tokens revoke-all")
    assert [one.get("/v1/agents").status for one in servers] == [401, 401, 401]


def test_ten_token_requests_a_minute_wherever_they_go(servers: list[Replica]) -> None:
    """The first was that of the fixture: nine are left, and the others get a 429."""
    works = [one.ask_for_token for one in servers for _ in range(4)]
    statuses = [answer.status for answer in at_once(*works)]
    assert sorted(statuses) == [201] * 9 + [429] * 3


def test_one_key_has_one_effect_and_equal_answers(servers: list[Replica]) -> None:
    """An idempotency key that reaches all servers at the same moment."""
    answers = at_once(*(partial(one.invite, KEY) for one in servers))
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].status == 201
    listed = servers[1].get("/v1/downstream-entity-associations").json()["data"]
    assert len(listed) == 1


def test_clock_and_options_are_those_of_all(servers: list[Replica]) -> None:
    """Moved or changed on one, they are so on the others; a token expires everywhere."""
    servers[1].control("clock advance", by="2h")
    assert [one.get("/v1/agents").status for one in servers] == [401, 401, 401]
    offsets = {one.sandbox.clock.offset for one in servers}
    assert offsets == {dt.timedelta(hours=2)}
    servers[2].control("options change", envelope="top_level")
    servers[0].sandbox.settle()
    assert servers[0].sandbox.options.envelope == "top_level"


def test_clocks_of_the_servers_do_not_matter(
    servers: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is an hour slow counts in the same rate window, and shows the same time."""
    slow = servers[1].sandbox.clock
    real = slow.process_time
    monkeypatch.setattr(slow, "process_time", lambda: real() - dt.timedelta(hours=1))
    for _ in range(9):
        assert servers[0].ask_for_token().status == 201
    assert servers[1].ask_for_token().status == 429
    apart = servers[1].sandbox.clock.now() - servers[0].sandbox.clock.now()
    assert abs(apart) < dt.timedelta(minutes=1)


def test_what_one_makes_all_list_and_what_one_removes_is_gone(servers: list[Replica]) -> None:
    """Through the API and the control API."""
    made = servers[0].control("agents add", npn="12345678")
    assert [len(one.get("/v1/agents").json()["data"]) for one in servers] == [1, 1, 1]
    servers[1].control("agents remove", id=made.id)
    assert [len(one.get("/v1/agents").json()["data"]) for one in servers] == [0, 0, 0]


def test_journal_is_one_in_order(servers: list[Replica]) -> None:
    """Each exchange once, numbered without a gap, with ids that never come twice."""
    servers[0].control("journal clear")
    works = [one.get for one in servers for _ in range(5)]
    at_once(*(partial(get, "/v1/agents") for get in works))
    found = []
    for one in servers:
        one.sandbox.settle()
        found.append([exchange.plain() for exchange in one.sandbox.journal])
    assert found[0] == found[1] == found[2]
    numbers = [row["number"] for row in found[0]]
    assert numbers == list(range(numbers[0], numbers[0] + 15))
    assert [row["at"] for row in found[0]] == sorted(row["at"] for row in found[0])
    assert len({row["request_id"] for row in found[0]}) == 15
    servers[2].control("journal clear")
    servers[0].sandbox.settle()
    assert len(servers[0].sandbox.journal) == 0


def test_tenants_are_those_of_all(servers: list[Replica]) -> None:
    """Made on one, they answer on another, which has not heard of them; deleted, on none."""
    made = servers[0].control("tenants create", name="ci", data="small_agency")
    with pytest.raises(ControlError, match="there is a tenant 'ci'"):
        servers[1].control("tenants create", name="ci")
    tenant = servers[1].server.tenants.get("ci")
    assert tenant is not None
    assert tenant.sandbox.client.client_id == made.client_id
    client = RoutedClient(servers[2])
    answer = client.ask_for_token(made.client_id, made.environment["TURRIS_CLIENT_SECRET"])
    assert answer.status == 201
    client.bearer = answer.json()["data"]["accessToken"]
    assert len(client.get("/v1/agents").json()["data"]) == 3
    names = [one.name for one in servers[1].control("tenants list").items]
    assert names == ["default", "ci"]
    assert servers[1].control("tenants show", name="ci").exchanges == 2
    servers[1].control("tenants delete", name="ci")
    assert client.get("/v1/agents").status == 401
    with pytest.raises(ControlError) as refused:
        servers[0].control("clock show", tenant="ci")
    assert refused.value.status == 404
    assert [one.name for one in servers[0].control("tenants list").items] == ["default"]


def test_idle_tenants_go_by_the_use_of_all(servers: list[Replica]) -> None:
    """One that another server has used is not idle."""
    for name in ("idle", "used"):
        servers[0].control("tenants create", name=name, idleLimit=600)
    database = servers[0].store._database
    earlier = "UPDATE tenants SET used_at = used_at - 400 WHERE name <> 'default'"
    with database.transaction():
        database.execute(earlier)
    tenant = servers[1].server.tenants.get("used")
    assert tenant is not None
    tenant.sandbox.seed("small_agency")
    with database.transaction():
        database.execute(earlier)
    servers[2].server.tenants._swept_at -= 5
    servers[2].server.tenants.sweep()
    assert sorted(servers[1].store.tenants()) == ["default", "used"]
    servers[0].control("tenants delete", name="used")


def test_saved_states_and_history_are_those_of_all(servers: list[Replica]) -> None:
    """Saved on one and restored on another; rewound on a third."""
    servers[0].control("agents add", npn="12345678")
    servers[0].control("snapshots save", name="before")
    servers[1].control("agents add", npn="87654321")
    assert [saved.name for saved in servers[2].control("snapshots list").items] == ["before"]
    servers[2].control("snapshots restore", name="before")
    assert [len(one.get("/v1/agents").json()["data"]) for one in servers] == [1, 1, 1]
    steps = servers[1].control("history list").items
    assert steps[-1].what == "snapshots restore"
    servers[1].control("history rewind", step=steps[-2].number)
    assert [len(one.get("/v1/agents").json()["data"]) for one in servers] == [2, 2, 2]
    servers[0].control("snapshots remove", name="before")
    assert servers[1].control("snapshots list").total == 0


def test_three_start_at_once(postgres: PostgresServer) -> None:
    """One makes the tables and the state; all have the same credentials and control token."""
    url = postgres.new_database()
    found: list[Replica] = at_once(*[lambda: Replica(url, Options())] * 3)
    try:
        assert len({one.sandbox.client.client_id for one in found}) == 1
        assert len({one.server.control_token for one in found}) == 1
    finally:
        for one in found:
            one.close()


def test_newer_tables_are_refused(postgres: PostgresServer) -> None:
    """And other tables, and what cannot be reached; no message has the password."""
    url = postgres.new_database()
    store = Store.open(url, print)
    with store._database.transaction():
        newer_version = str(SCHEMA_VERSION + 1)
        store._database.execute("UPDATE meta SET value = ? WHERE name = 'schema'", newer_version)
    store.close()
    with pytest.raises(StoreError, match=f"of version {newer_version}, from a newer pyt") as newer:
        Store.open(url, print)
    elsewhere = "postgresql://turris:not-a-secret@127.0.0.1:9/turris"
    with pytest.raises(StoreError, match=r"postgresql://127.0.0.1:9/turris: .*refused") as gone:
        Store.open(elsewhere, print)
    with pytest.raises(StoreError, match="not a connection URL") as broken:
        Store.open("postgresql://turris:not-a-secret@[/", print)
    for error in (newer, gone, broken):
        assert "not-a-secret" not in str(error.value)


def test_what_is_no_longer_kept_is_forgotten(servers: list[Replica]) -> None:
    """Exchanges beyond the limit, and which rows are gone; the store does so now and then."""
    servers[0].control("agents add", npn="12345678")
    kept = servers[0].server.tenants.default.kept
    assert kept is not None
    begun = time.monotonic()
    while not kept.is_unwritten:
        servers[0].get("/v1/agents")
        assert time.monotonic() - begun < 120
    kept.flush()
    servers[1].sandbox.settle()
    assert len(servers[1].sandbox.agents) == 1
