"""A database that is slow, busy or gone: requests wait for a bounded time, and leave no half."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from doubles.postgres import PostgresServer
from doubles.replicas import Replica, RoutedClient, replicas

from mock_server.control.wire.errors import ControlError
from mock_server.store.databases import conversation
from mock_server.store.databases import postgres as postgres_database
from mock_server.store.databases.postgres import PostgresDatabase
from mock_server.store.errors import StoreError
from pytest_turris.core.wire.messages import Response

BOUNDS = quote(" -c lock_timeout=200ms -c statement_timeout=600ms")
AGENT = {"npn": "12345678", "email": "someone@example.com"}


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> str:
    """A database that waits for less long than by default."""
    return f"{postgres.new_database()}&options={BOUNDS}"


@pytest.fixture(scope="module")
def pair(url: str) -> Iterator[list[Replica]]:
    """Two replicas with a token."""
    with replicas(url, 2) as found:
        found[1].bearer = found[0].token()
        yield found


@contextlib.contextmanager
def other(url: str) -> Iterator["psycopg.Connection[Any]"]:
    """A connection of someone else."""
    with psycopg.connect(url) as connection:
        yield connection


def assert_unavailable(response: Response) -> None:
    """An answer in Turris' shape that says why there is no other."""
    assert response.status == 503
    assert response.json()["errorType"] == "internal_error"
    assert "the outcome of this request is unknown" in response.json()["errorMessage"][0]


def test_tenant_that_another_holds(url: str, pair: list[Replica]) -> None:
    """A request waits for the lock for a bounded time; then it goes on by itself."""
    client = RoutedClient(pair[0])
    client.bearer = pair[0].bearer
    with other(url) as connection:
        connection.execute("SELECT 1 FROM tenants FOR UPDATE")
        assert_unavailable(client.get("/v1/agents"))
        with pytest.raises(ControlError) as refused:
            pair[0].control("clock show")
        assert refused.value.status == 503
        pair[0].server.tenants.default.look()
        connection.rollback()
    assert client.get("/v1/agents").status == 200
    assert any("lock timeout" in line for line in pair[0].log)


def test_write_that_the_database_does_not_take(url: str, pair: list[Replica]) -> None:
    """It has no effect, on the server that answered 503 neither."""
    clients = [RoutedClient(one) for one in pair]
    for client in clients:
        client.bearer = pair[0].bearer
    with other(url) as connection:
        connection.execute(
            "CREATE FUNCTION slow() RETURNS trigger AS "
            "'BEGIN PERFORM pg_sleep(5); RETURN NEW; END' LANGUAGE plpgsql"
        )
        connection.execute(
            "CREATE TRIGGER slow BEFORE INSERT ON state FOR EACH ROW EXECUTE FUNCTION slow()"
        )
    assert_unavailable(clients[0].post("/v1/agents", AGENT))
    assert [client.get("/v1/agents").json()["data"] for client in clients] == [[], []]
    with other(url) as connection:
        connection.execute("DROP TRIGGER slow ON state")
    assert clients[0].post("/v1/agents", AGENT).status == 201
    found = [client.get("/v1/agents").json()["data"] for client in clients]
    assert found[0] == found[1]
    assert len(found[0]) == 1


def test_no_connection_is_free(pair: list[Replica], monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is in the log; once one is free, requests are answered."""
    monkeypatch.setattr(postgres_database, "WAIT", 0.2)
    client = RoutedClient(pair[0])
    client.bearer = pair[0].bearer
    database: Any = pair[0].store._database
    with contextlib.ExitStack() as held:
        for _ in range(postgres_database.CONNECTIONS):
            held.enter_context(database._pool.connection())
        assert_unavailable(client.get("/v1/agents"))
        assert any("none of the 8 connections was free" in line for line in pair[0].log)
        unknown = RoutedClient(pair[0])
        unknown.bearer = "unknown"
        assert_unavailable(unknown.get("/v1/agents"))
    assert client.get("/v1/agents").status == 200


def test_restart_between_requests(postgres: PostgresServer, pair: list[Replica]) -> None:
    """Connections that PostgreSQL has ended are replaced before they are used."""
    client = RoutedClient(pair[1])
    client.bearer = pair[0].bearer
    assert client.get("/v1/agents").status == 200
    postgres.stop()
    postgres.start()
    assert client.get("/v1/agents").status == 200


def test_database_that_is_gone(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks are looked for again once it is back, and the log has the reason once."""
    with replicas(postgres.new_database(), 1) as (one,):
        monkeypatch.setattr(postgres_database, "WAIT", 0.1)
        postgres.stop()
        try:
            with pytest.raises(StoreError):
                one.store.due()
            assert list(one.server._worker._found()) == []
            assert list(one.server._worker._found()) == []
            assert one.server.unsent() == ()
        finally:
            postgres.start()
        monkeypatch.undo()
        assert one.store.due() == []
    assert sum("cannot look for due webhooks" in line for line in one.log) >= 1


@pytest.mark.parametrize("amid_a_pipeline", [True, False])
def test_server_that_stands_still_with_a_lock(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, *, amid_a_pipeline: bool
) -> None:
    """Wherever it stopped, its transaction ends, and it learns so when it goes on."""
    bounds = " -c lock_timeout=1s -c idle_in_transaction_session_timeout=300ms"
    monkeypatch.setattr(postgres_database, "STALLED", 0.2)
    url = f"{postgres.new_database()}&options={quote(bounds)}"
    one, other = PostgresDatabase(url), PostgresDatabase(url)
    locked = "SELECT number FROM things FOR UPDATE"
    with contextlib.closing(one), contextlib.closing(other):
        with other.transaction():
            other.execute("CREATE TABLE things AS SELECT 1 AS number")

        def stand_still() -> None:
            with one.transaction():
                if amid_a_pipeline:
                    pgconn = one._used.connection.pgconn
                    for statement in ("BEGIN", locked):
                        pgconn.send_query_params(statement.encode(), None)
                    pgconn.send_flush_request()
                    pgconn.flush()
                    for _ in range(4):  # two results, each with an end: it has the lock
                        while pgconn.is_busy():
                            time.sleep(0.01)
                            pgconn.consume_input()
                        pgconn.get_result()
                else:
                    one.select(locked)
                with contextlib.suppress(StoreError):  # waiting shows it
                    other.select(locked)
                assert other.select(locked) == [(1,)]

        with pytest.raises(StoreError, match="cannot be used"):
            stand_still()
        assert one.select(locked) == [(1,)]


@contextlib.contextmanager
def standing_still(url: str) -> Iterator[None]:
    """All connections to a database, but for a new one, do nothing for a while."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    with other(url) as connection:
        pids = [pid for (pid,) in connection.execute(query)]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_database_that_stands_still(
    url: str, pair: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request waits for a bounded time, without any limit of PostgreSQL; then it goes on."""
    client = RoutedClient(pair[0])
    client.bearer = pair[0].bearer
    assert client.get("/v1/agents").status == 200
    with standing_still(url), monkeypatch.context() as patched:
        patched.setattr(conversation, "SILENCE", 0.5)
        assert_unavailable(client.get("/v1/agents"))
        assert any("no answer within 0.5 s" in line for line in pair[0].log)
    assert client.get("/v1/agents").status == 200


def test_connection_after_a_statement_that_failed(url: str) -> None:
    """It stays, and what was prepared before the failure is known."""
    with contextlib.closing(PostgresDatabase(url)) as database:
        for _ in range(2 * postgres_database.CONNECTIONS):
            with pytest.raises(StoreError, match="division by zero"):
                database.select_all(("SELECT 2", ()), ("SELECT 1 / 0", ()), ("SELECT 3", ()))
            assert database.select("SELECT 3") == [(3,)]
        assert database.generation == postgres_database.CONNECTIONS


def test_bytes_that_are_no_answer(url: str) -> None:
    """They end the request at once, and its connection; the next one has another."""
    theirs, ours = socket.socketpair()
    with contextlib.closing(PostgresDatabase(url)) as database, theirs, ours:

        def ask() -> None:
            with database.transaction():
                database.select("SELECT 1")
                os.dup2(ours.fileno(), database._used.connection.pgconn.socket)
                theirs.sendall(b"!" + b"\xff" * 4)
                database.select("SELECT 1")

        with pytest.raises(StoreError, match="the connection is lost"):
            ask()
        assert database.select("SELECT 2") == [(2,)]


def test_closed_store(url: str) -> None:
    """It says that it is closed, and waits for no connection."""
    database = PostgresDatabase(url)
    database.close()
    with pytest.raises(StoreError, match=r"the store postgresql://.* is closed$"):
        database.select("SELECT 1")


def test_more_than_a_socket_holds(url: str) -> None:
    """Long statements and long answers, also both at the same time."""
    with contextlib.closing(PostgresDatabase(url)) as database:
        texts = [str(number) * 2_000_000 for number in range(4)]
        queries = [("SELECT CAST(? AS TEXT)", (text,)) for text in texts]
        assert database.select_all(*queries) == [[(text,)] for text in texts]


def test_text_with_a_nul(url: str) -> None:
    """PostgreSQL refuses it, so that none is cut there; the next statement is carried out."""
    with contextlib.closing(PostgresDatabase(url)) as database:
        with pytest.raises(StoreError, match="0x00"):
            database.select("SELECT CAST(? AS TEXT)", "a\0b")
        assert database.select("SELECT CAST(? AS BIGINT), CAST(? AS BYTEA)", 1, b"\0") == [
            (1, b"\0")
        ]
