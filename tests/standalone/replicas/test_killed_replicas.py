"""Servers that are killed or stand still under load: nothing is lost, and nothing done twice."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from doubles.histories import contradiction
from doubles.postgres import PostgresServer
from doubles.replica_load import Load
from doubles.served_sandbox import COMMAND, Running

STILL = float(os.environ.get("TURRIS_STILL", "4"))
"""For how many seconds a server stands still; 30 in a long check."""

CALLS = 12
PLENTY = ("-o", "writes_per_minute=1000000", "-o", "token_requests_per_minute=1000000")
PATIENCE = " -c idle_in_transaction_session_timeout=1500ms"


@contextlib.contextmanager
def started(url: str) -> Iterator[Running]:
    """A server on a database, which is killed in the end."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *PLENTY],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "TURRIS_STORE": url},
    ) as process:
        try:
            yield Running(process)
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(20)


def port_of(running: Running) -> int:
    """The port of a server."""
    return int(running.variables["TURRIS_BASE_URL"].rpartition(":")[2])


def test_faults_under_load(postgres: PostgresServer) -> None:
    """Kill -9, a server that stands still, and restarts of PostgreSQL, one after the other.

    Whatever was answered can have happened one call after the other, and the servers that are
    left answer again by themselves.
    """
    # PostgreSQL ends the transaction of a server that stands still: sooner here than by default.
    url = f"{postgres.new_database()}&options={quote(PATIENCE)}"
    with started(url) as a, started(url) as b, started(url) as c:
        assert a.variables["TURRIS_CLIENT_ID"] == c.variables["TURRIS_CLIENT_ID"]
        ports = {"a": port_of(a), "b": port_of(b), "c": port_of(c)}
        with Load(ports, a.token()).running() as load:
            load.wait_for(CALLS, "a", "b", "c")
            a.process.kill()
            load.wait_for(CALLS, "b", "c")
            b.process.send_signal(signal.SIGSTOP)
            with contextlib.suppress(subprocess.TimeoutExpired):
                b.process.wait(STILL)
            load.wait_for(CALLS, "c")
            b.process.send_signal(signal.SIGCONT)
            load.wait_for(CALLS, "b", "c")
            for how in (signal.SIGINT, signal.SIGQUIT):  # in order, and as a crash
                postgres.stop(how)
                postgres.start()
                load.wait_for(CALLS, "b", "c")
        with started(url) as again:
            token = again.token()
            listed = again.call("/v1/agents?limit=10000", authorization=f"Bearer {token}")["data"]
    assert load.odd == []
    assert contradiction(load.history) is None
    found = {entry["agent"]["npn"] for entry in listed}
    assert load.history.answered <= found
    assert len(found) == len(listed)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_order_without_a_database(postgres: PostgresServer, how: signal.Signals) -> None:
    """It ends with exit status 0 and waits for nothing: all that it answered is written."""
    url = postgres.new_database()
    with started(url) as running:
        postgres.stop()
        try:
            running.process.send_signal(how)
            assert running.process.wait(60) == 0
        finally:
            postgres.start()
