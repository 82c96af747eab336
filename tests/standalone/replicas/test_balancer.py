"""``docs/examples/shared_sandbox``: two servers behind nginx, as clients have them."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import compose_spec
import pytest
from doubles.postgres import PostgresServer
from doubles.replica_load import Asked
from doubles.served_sandbox import Running, serving

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "shared_sandbox"


def port_of(running: Running) -> int:
    """The port of a server."""
    return int(running.variables["TURRIS_BASE_URL"].rpartition(":")[2])


class OnSocket(Asked):
    """A client of a server on a socket of this machine, so that no port is guessed."""

    def __init__(self, path: Path) -> None:
        super().__init__(0, "")
        self._path = path

    def connected(self) -> HTTPConnection:
        """A connection."""
        connection = HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self._path))
        return connection


@contextmanager
def balanced(folder: Path, ports: list[int]) -> Iterator[Asked]:
    """Run the nginx of the example before these ports; it takes each in turn. Yield a client."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        if os.environ.get("TURRIS_REQUIRE_ALL") == "1":
            pytest.fail("nginx is not installed: make system-packages")
        pytest.skip("nginx is not installed: make system-packages")
    text = (EXAMPLE / "nginx.conf").read_text().replace("ip_hash;", "")
    for number, port in enumerate(ports, 1):
        text = text.replace(f"turris-{number}:8791", f"127.0.0.1:{port}")
    text = text.replace("listen 8791", f"listen unix:{folder}/socket")
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"    {name}_temp_path {folder}/{name};" for name in paths)
    text = text.replace("    access_log off;", f"    access_log off;\n{temporary}")
    (folder / "nginx.conf").write_text(f"daemon off;\npid {folder}/pid;\n{text}")
    command = [program, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/log"]
    with subprocess.Popen(command) as process:
        try:
            begun = time.monotonic()
            while not (folder / "socket").exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() - begun < 60
                time.sleep(0.05)
            yield OnSocket(folder / "socket")
        finally:
            process.terminate()
            process.wait(20)


def test_two_servers_behind_a_balancer(postgres: PostgresServer, tmp_path: Path) -> None:
    """Clients notice nothing: what one request made, the next one finds, at the other server."""
    url = postgres.new_database()
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(serving("--store", url, "--data", "small_agency")) for _ in range(2)
        )
        ports = [port_of(first), port_of(second)]
        asked = stack.enter_context(balanced(tmp_path, ports))
        stack.callback(asked.close)
        names = ("clientId", "TURRIS_CLIENT_ID"), ("clientSecret", "TURRIS_CLIENT_SECRET")
        body = {name: first.variables[variable] for name, variable in names}
        status, document = asked.send("POST", "/v1/auth/jwt", body)
        assert status == 201
        fields = {"Authorization": f"Bearer {document['data']['accessToken']}"}
        for count in range(3, 9):
            status, document = asked.send("GET", "/v1/agents", **fields)
            assert (status, len(document["data"])) == (200, count)
            new = {"npn": f"1234567{count}", "email": "someone@example.com"}
            assert asked.send("POST", "/v1/agents", new, **fields)[0] == 201
        for server in (first, second):
            server.process.terminate()
        logs = [server.process.communicate(timeout=60)[1] for server in (first, second)]
    assert all("/v1/agents" in log for log in logs)
    assert "not-a-secret" not in "".join(logs)


def test_files_of_the_example() -> None:
    """The compose file is one, and the servers are those of nginx."""
    text = (EXAMPLE / "compose.yaml").read_text()
    compose_spec.PyCompose.from_yaml(text).validate()
    assert set(re.findall(r"server (turris-\d):8791", (EXAMPLE / "nginx.conf").read_text())) == set(
        re.findall(r"^  (turris-\d):", text, re.MULTILINE)
    )
