"""``GET /__sandbox__/health`` and ``/ready``, and ``turris-sandbox health``."""

import http.client
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner
from doubles.ports import free_port
from doubles.served_here import served

from mock_server.serving.server import StandaloneSandbox
from mock_server.shell.cli import app
from pytest_turris.core.options import Options


@pytest.fixture(scope="module")
def server() -> Iterator[StandaloneSandbox]:
    """A server in this process."""
    with served() as running:
        yield running


def asked(
    server: StandaloneSandbox, method: str, path: str, **headers: str
) -> tuple[int, dict[str, str]]:
    """The status and the JSON of a request without credentials."""
    connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body) if body else {}


@pytest.mark.parametrize(("path", "word"), [("health", "ok"), ("ready", "ready")])
def test_answers_without_a_credential_and_under_any_name(
    server: StandaloneSandbox, path: str, word: str
) -> None:
    """A probe uses a container's address; no limit and no journal knows of it."""
    seen = server.sandbox.journal.seen
    found = asked(server, "GET", f"/__sandbox__/{path}", Host="10.0.0.7:8791")
    assert found == (200, {"status": word})
    assert asked(server, "HEAD", f"/__sandbox__/{path}") == (200, {})
    assert asked(server, "POST", f"/__sandbox__/{path}")[0] == 405
    assert server.sandbox.journal.seen == seen


@pytest.mark.parametrize("name", ["Origin", "Sec-Fetch-Site"])
def test_web_pages_cannot_ask(server: StandaloneSandbox, name: str) -> None:
    """They could find out that a sandbox runs here."""
    assert asked(server, "GET", "/__sandbox__/health", **{name: "https://evil.example"})[0] == 403


def test_a_server_that_stops_is_not_ready() -> None:
    """An orchestrator sends it nothing more."""
    with served() as running:
        running._health.stopping = True
        assert asked(running, "GET", "/__sandbox__/ready") == (503, {"status": "stopping"})
        assert asked(running, "GET", "/__sandbox__/health") == (200, {"status": "ok"})


def test_command_says_that_it_is_ready(server: StandaloneSandbox) -> None:
    """The exit status is 0, also where the URL comes from the environment."""
    given = CliRunner().invoke(app, ["health", server.base_url])
    assert (given.exit_code, given.output) == (0, f"{server.base_url} is ready\n")
    found = CliRunner().invoke(app, ["health"], env={"TURRIS_BASE_URL": server.base_url})
    assert found.exit_code == 0


def test_command_needs_no_authority() -> None:
    """A health check over TLS sends nothing secret, so it verifies nothing."""
    with served(Options(tls=True)) as running:
        assert CliRunner().invoke(app, ["health", running.base_url]).exit_code == 0


class NotASandbox(BaseHTTPRequestHandler):
    """Answers every GET with 404."""

    def do_GET(self) -> None:
        """Refuse."""
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def test_command_says_why_it_is_not_ready() -> None:
    """Nothing listens, or something else does, or the URL is none: one line, and exit status 1."""
    nothing = CliRunner().invoke(
        app, ["health", f"http://127.0.0.1:{free_port()}", "--wait", "0.2"]
    )
    assert nothing.exit_code == 1
    assert "is not ready: [Errno 111] Connection refused" in nothing.output
    with HTTPServer(("127.0.0.1", 0), NotASandbox) as other:
        thread = Thread(target=other.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{other.server_port}"
        answered = CliRunner().invoke(app, ["health", url])
        other.shutdown()
        thread.join(5)
    assert answered.exit_code == 1
    assert answered.output == f"turris-sandbox: {url} is not ready: it answers with 404\n"
    for url in ("127.0.0.1:8791", "http://127.0.0.1:http"):
        wrong = CliRunner().invoke(app, ["health", url])
        assert (wrong.exit_code, wrong.output.count("\n")) == (1, 1)
        assert "is not a URL such as http://127.0.0.1:8791" in wrong.output
