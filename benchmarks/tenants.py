"""Many tenants on one server: the memory that an idle one takes, and what it costs to serve all.

A hundred tenants are sent a thousand requests each, in ten rounds over all of them. Memory is the
server's resident set and time is its CPU time, both from ``/proc`` (Linux). Each tenant keeps the
last exchanges of its journal, so memory grows until those are full: the script prints it after each
round, and the time per request next to it.
"""

import http.client
import json
import os
import sys
import tempfile
from pathlib import Path

from server import EXPORT, Server

TENANTS = 100
ROUNDS = 10
REQUESTS = 100
"""How many requests each tenant is sent in a round."""

COMMAND = [sys.executable, "-m", "mock_server", "serve", "--port", "PORT", "--log-level", "error"]
MEBI = 1_048_576
TICKS = os.sysconf("SC_CLK_TCK")


class Client:
    """One connection to the server, for its control API and for all tenants."""

    def __init__(self, server: Server, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port)
        self._token = token

    def control(self, path: str, **members: object) -> dict[str, object]:
        """Call a control, and return its result."""
        return self.call("POST", f"/__sandbox__{path}", self._token, members)

    def call(
        self, method: str, path: str, token: str = "", body: object = None
    ) -> dict[str, object]:
        """Send one request, and return the answer's JSON."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self._connection.getresponse()
        found: dict[str, object] = json.loads(answer.read())
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {found}")
        return found


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        server = Server(COMMAND, Path(directory))
        try:
            measure(server)
        finally:
            server.stop()


def measure(server: Server) -> None:
    control = dict(EXPORT.findall(server.output.read_text()))["CONTROL_TOKEN"]
    client = Client(server, control)
    client.control("/tenants", name="first")  # loads what creating one needs
    before = server.memory()
    environments = [
        client.control("/tenants", name=f"tenant-{number}", idleLimit=None)["environment"]
        for number in range(TENANTS)
    ]
    each = (server.memory() - before) / TENANTS / MEBI
    print(f"an idle tenant: {each:.2f} MiB (at most 1)")
    tokens = [token_of(client, environment) for environment in environments]
    for turn in range(1, ROUNDS + 1):
        begin = server.cpu()
        for token in tokens:
            for _ in range(REQUESTS):
                client.call("GET", "/v1/agents", token)
        took = (server.cpu() - begin) / (TENANTS * REQUESTS) * 1e6
        print(
            f"after {turn * REQUESTS:,} requests each: {server.memory() / MEBI:.0f} MiB, "
            f"{took:.0f} us of CPU per request"
        )


def token_of(client: Client, environment: object) -> str:
    """A token of a tenant."""
    variables = dict(environment)  # type: ignore[call-overload] # an object of texts
    body = {
        "clientId": variables["TURRIS_CLIENT_ID"],
        "clientSecret": variables["TURRIS_CLIENT_SECRET"],
    }
    answer = client.call("POST", "/v1/auth/jwt", body=body)
    return str(answer["data"]["accessToken"])  # type: ignore[index] # documented


if __name__ == "__main__":
    main()
