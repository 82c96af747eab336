"""Webhooks of a shared sandbox: one server sends each attempt, also when servers come and go."""

import subprocess
import threading
from collections import Counter
from json import dumps, loads

from doubles.postgres import PostgresServer
from doubles.replicas import Replica, replicas
from doubles.served_sandbox import receiving, serving
from doubles.waiting import eventually

from pytest_turris.core.options import Options

KIND = "PRODUCER_AGREEMENT_EXECUTED"


def test_each_is_sent_once_by_either(postgres: PostgresServer) -> None:
    """Two servers look for what is due at the same time, ten times a second."""
    with receiving() as (url, receiver), replicas(postgres.new_database()) as (a, b):
        a.control("webhooks register", url=url, event=KIND)
        for server in (a, b) * 3:
            agency = server.control("associations add")
            server.control("associations execute-agreement", id=agency.id)
        eventually(lambda: len(receiver.received) >= 6)
        eventually(lambda: len(b.sandbox.outbox) == 0)
        a.sandbox.settle()
        assert len(a.sandbox.outbox.attempts) == 6
        assert [one.state for one in a.sandbox.outbox] == ["delivered"] * 6
    payloads = [loads(body)["payload"] for body, _ in receiver.received]
    sent = Counter(payload["downstreamEntityAssociationId"] for payload in payloads)
    assert set(sent.values()) == {1}
    assert len(sent) == 6


def test_attempt_of_a_server_that_is_gone(postgres: PostgresServer) -> None:
    """Another server makes it when the claim has lapsed, and not before; a resend as well."""
    options = Options()
    with receiving() as (url, receiver), replicas(postgres.new_database(), 2, options) as (a, b):
        for server in (a, b):
            server.server._worker.stop()
        a.control("webhooks register", url=url, event=KIND)
        agency = a.control("associations add")
        a.control("associations execute-agreement", id=agency.id)
        taken = a.server.tenants.default.deliveries.engine.claim()
        assert taken is not None
        engine = b.server.tenants.default.deliveries.engine
        assert engine.claim() is None
        assert b.store.due() == []
        lapse(a)
        assert b.store.due() == ["default"]
        again = engine.claim()
        assert again is not None
        assert engine.send(again).attempt is not None
        late = a.server.tenants.default.deliveries.engine.send(taken)
        assert late.attempt is None
        assert len(receiver.received) == 1
        assert len(a.sandbox.outbox.attempts) == 1
        with a.sandbox.lock:
            a.sandbox.outbox.request_resend(a.sandbox.outbox.find(1))
        assert b.store.due() == ["default"]
        assert a.server.tenants.default.deliveries.engine.claim() is not None
        assert engine.claim() is None
        lapse(a)
        resent = engine.claim()
        assert resent is not None
        engine.send(resent)
        assert len(receiver.received) == 2


def test_retry_of_an_attempt_that_another_server_made(postgres: PostgresServer) -> None:
    """The server that was too late knows it, so that what it does next leaves it due."""
    options = Options(webhook_retries="stripe")
    with replicas(postgres.new_database(), 2, options) as (a, b):
        for server in (a, b):
            server.server._worker.stop()
        a.control("webhooks register", url="http://127.0.0.1:9/", event=KIND)
        agency = a.control("associations add")
        a.control("associations execute-agreement", id=agency.id)
        late, engine = (one.server.tenants.default.deliveries.engine for one in (a, b))
        taken = late.claim()
        assert taken is not None
        lapse(a)
        again = engine.claim()
        assert again is not None
        assert engine.send(again).delivery.state == "pending"
        assert late.send(taken).attempt is None
        due = b.sandbox.next_due()
        assert due is not None
        a.control("associations add")
        assert a.sandbox.next_due() == due
        assert [(one.number, one.attempts) for one in a.sandbox.outbox.unsent] == [(1, 1)]
        a.control("clock advance", by="1d")
        assert b.store.due() == ["default"]


def test_server_that_is_killed_while_it_sends(postgres: PostgresServer) -> None:
    """The receiver has the webhook, and no server knows: after the claim, another one sends it."""
    database = postgres.new_database()
    killed = threading.Event()
    with receiving() as (url, receiver), replicas(database, 1) as (other,):
        receiver.work = staticmethod(lambda: killed.wait(60))  # type: ignore[assignment, method-assign] # slow
        other.server._worker.stop()
        other.control("webhooks register", url=url, event=KIND)
        agency = other.control("associations add")
        with serving("--store", database, log=subprocess.DEVNULL) as sending:
            other.control("associations execute-agreement", id=agency.id)
            eventually(lambda: len(receiver.received) == 1)
            sending.process.kill()
            sending.process.wait(20)
        killed.set()
        engine = other.server.tenants.default.deliveries.engine
        assert engine.claim() is None
        lapse(other)
        again = engine.claim()
        assert again is not None
        assert engine.send(again).attempt is not None
        other.sandbox.settle()
        assert [one.state for one in other.sandbox.outbox] == ["delivered"]
    first, second = (body for body, _ in receiver.received)
    assert first == second


def lapse(replica: Replica) -> None:
    """Let the claims end, on the clock of the database."""
    database = replica.store._database
    with database.transaction():
        facts = loads(database.select("SELECT facts FROM tenants")[0][0])
        facts["leases"] = {key: (owner, 0.0) for key, (owner, _) in facts["leases"].items()}
        database.execute(
            "UPDATE tenants SET facts = ?, due = 0, version = version + 1", dumps(facts)
        )
