"""A server that is killed at any moment keeps all that it has answered, and nothing half."""

import contextlib
import http.client
import json
import os
import random  # noqa: TID251 - the tests kill at random moments
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doubles.served_sandbox import COMMAND, Running

KILLS = int(os.environ.get("TURRIS_KILLS", "6"))
"""How often; 200 in a long check."""

THREADS = 4
LIMITS = ("-o", "writes_per_minute=1000000", "-o", "token_requests_per_minute=1000000")


@dataclass
class Answered:
    """What the server has answered, and what it was still asked."""

    agents: dict[str, str] = field(default_factory=dict)
    """The id by NPN."""

    invitations: dict[str, Any] = field(default_factory=dict)
    """The answer by idempotency key."""

    tokens: list[str] = field(default_factory=list)
    webhooks: set[str] = field(default_factory=set)
    asked: int = 0


class Caller:
    """One persistent connection."""

    def __init__(self, running: Running, answered: Answered) -> None:
        port = int(running.variables["TURRIS_BASE_URL"].rpartition(":")[2])
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._variables = running.variables
        self._answered = answered
        self.bearer = ""

    def send(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """The status and the data of an answer."""
        fields = {"Content-Type": "application/json"} | headers
        if self.bearer:
            fields["Authorization"] = f"Bearer {self.bearer}"
        self._connection.request(method, path, json.dumps(body) if body else None, fields)
        with self._connection.getresponse() as response:
            return response.status, json.loads(response.read() or b"{}").get("data")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def token(self) -> None:
        """Take a token, and use it from now on."""
        body = {
            "clientId": self._variables["TURRIS_CLIENT_ID"],
            "clientSecret": self._variables["TURRIS_CLIENT_SECRET"],
        }
        status, data = self.send("POST", "/v1/auth/jwt", body)
        assert status == 201
        self.bearer = data["accessToken"]
        self._answered.tokens.append(self.bearer)

    def invite(self, key: str) -> tuple[int, Any]:
        """Invite an agency, once for each key."""
        body = {
            "useInviteUrl": False,
            "isNpnRequired": True,
            "downstreamEntityName": "ABC Insurance Agency",
            "firstName": "John",
            "lastName": "Doe",
            "email": "john.doe@example.com",
            "category": "agency",
        }
        path = "/v1/downstream-entity-associations/invite"
        return self.send("POST", path, body, **{"Idempotency-Key": key})

    def work(self) -> None:
        """Write until the server is gone."""
        gone = contextlib.suppress(OSError, http.client.HTTPException)
        with contextlib.closing(self._connection), gone:
            while True:
                self._answered.asked += 1
                self._write(random.random())  # noqa: S311 - which call is next

    def _write(self, chance: float) -> None:
        answered = self._answered
        if chance < 0.05:
            self.token()
        elif chance < 0.1:
            kind = "PRODUCER_AGREEMENT_EXECUTED"
            body = {"url": "http://127.0.0.1:9/hooks", "webhookType": kind}
            answered.webhooks.add(self.send("POST", "/v1/webhooks", body)[1]["_id"])
        elif chance < 0.4:
            key = str(uuid.uuid4())  # noqa: TID251 - a client's key
            answered.invitations[key] = self.invite(key)
        elif chance < 0.6:
            self.send("GET", "/v1/agents?limit=5")
        else:
            npn = str(random.randrange(10**7, 10**8))  # noqa: S311 - any NPN
            status, data = self.send(
                "POST", "/v1/agents", {"npn": npn, "email": f"a{npn}@example.com"}
            )
            assert status == 201, data
            answered.agents[npn] = data["agent"]["_id"]


@contextlib.contextmanager
def started(store: Path) -> Iterator[Running]:
    """A server on a store, which is killed in the end."""
    command = [*COMMAND, "serve", "--port", "0", "--store", str(store), *LIMITS]
    with (
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        ) as process,
    ):
        try:
            yield Running(process)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(20)


def all_agents(caller: Caller) -> dict[str, str]:
    """The id by NPN of all agents."""
    status, entries = caller.send("GET", "/v1/agents")
    assert status == 200
    return {entry["agent"]["npn"]: entry["agent"]["_id"] for entry in entries}


def check(running: Running, answered: Answered) -> None:
    """All that was answered is there, with at most one more effect for each connection."""
    with contextlib.closing(Caller(running, Answered())) as caller:
        check_with(caller, answered)


def check_with(caller: Caller, answered: Answered) -> None:
    """The same, over one connection."""
    for token in answered.tokens[-3:]:
        caller.bearer = token
        found = all_agents(caller)
        assert answered.agents.items() <= found.items()
    assert len(found) <= len(answered.agents) + THREADS * KILLS
    hooks = {hook["_id"] for hook in caller.send("GET", "/v1/webhooks")[1]}
    assert answered.webhooks <= hooks
    for key, answer in list(answered.invitations.items())[-5:]:
        assert caller.invite(key) == answer


def test_what_was_answered_lasts(tmp_path: Path) -> None:
    """Killed at random moments under load, with four connections; each start goes on from there."""
    store, answered = tmp_path / "turris.db", Answered()
    variables: dict[str, str] = {}
    for _ in range(KILLS):
        with started(store) as running:
            if variables:
                check(running, answered)
                names = ("TURRIS_CLIENT_ID", "TURRIS_CLIENT_SECRET", "TURRIS_CONTROL_TOKEN")
                assert [running.variables[name] for name in names] == [
                    variables[name] for name in names
                ]
            variables = running.variables
            callers = [Caller(running, answered) for _ in range(THREADS)]
            for caller in callers:
                caller.token()
            threads = [threading.Thread(target=caller.work) for caller in callers]
            for thread in threads:
                thread.start()
            time.sleep(random.uniform(0.02, 0.4))  # noqa: S311 - the moment of the kill
            running.process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join(30)
    with started(store) as running:
        check(running, answered)
    assert answered.agents
    assert answered.asked > KILLS * THREADS
