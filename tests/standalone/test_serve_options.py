"""``turris-sandbox serve``: credentials, files, commands and addresses that are given to it."""

import contextlib
import http.client
import json
import signal
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from doubles.served_here import served
from doubles.served_sandbox import receiving, serving
from doubles.waiting import eventually

from mock_server.serving.files.env_file import write_env_file
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.shell.cli import app
from pytest_turris.core.access.credential import CredentialError
from pytest_turris.core.faults.fault import FaultError
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox

CLIENT_ID = "turris_sandbox_client_checkout"
SECRET = "turris_sandbox_secret_of_the_team"


def gotten(server: StandaloneSandbox, path: str, **headers: str) -> Any:
    """The JSON of a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", server._server.port, timeout=60)
    connection.request("GET", path, headers=headers)
    found = json.loads(connection.getresponse().read())
    connection.close()
    return found


def test_credentials_and_world_of_ones_own(tmp_path: Path) -> None:
    """They are the ones that were given, in an environment file too; the world is there."""
    file = tmp_path / "sandbox.env"
    given = ("--client-name", "checkout", "--client-secret", SECRET, "--data", "small_agency")
    with serving(*given, "--env-file", str(file)) as running:
        assert running.variables["TURRIS_CLIENT_ID"] == CLIENT_ID
        found = running.call("/v1/agents", Authorization=f"Bearer {running.token()}")
        assert found["data"]
        lines = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert lines == running.variables
    assert lines["TURRIS_CLIENT_SECRET"] == SECRET
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_environment_file_follows_a_rotation(tmp_path: Path) -> None:
    """It is replaced as a whole, and nothing else is left beside it."""
    file, sandbox = tmp_path / ".env", Sandbox()
    write_env_file(file, {"A": "1"})
    sandbox.credentials.on_rotate = lambda client: write_env_file(
        file, {"SECRET": str(client.client_secret)}
    )
    client = sandbox.credentials.rotate(sandbox.client)
    assert file.read_text() == f"SECRET={client.client_secret}\n"


def test_environment_file_that_cannot_be_written(tmp_path: Path) -> None:
    """One line, and nothing is served or left."""
    for file in (tmp_path / "missing" / ".env", tmp_path):
        result = CliRunner().invoke(app, ["serve", "--port", "0", "--env-file", str(file)])
        assert result.exit_code == 2
        assert f"--env-file {file}: cannot write it: " in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--client-id", "3f1c0c7e-real"),
        ("--client-secret", "s3cr3t-of-production"),
        ("--client-name", "with space"),
        ("--client-secret", "turris_sandbox_secret_"),
    ],
)
def test_real_credentials_are_not_taken(option: str, value: str) -> None:
    """They are refused, and not repeated."""
    result = CliRunner().invoke(app, ["serve", "--port", "0", option, value])
    assert result.exit_code == 2
    assert "may be real, and was not taken" in result.output
    assert "s3cr3t" not in result.output


def test_real_credentials_of_the_environment_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are not used and not shown; a line says so."""
    monkeypatch.setenv("TURRIS_CLIENT_SECRET", "s3cr3t-of-production")
    with serving() as running:
        assert running.variables["TURRIS_CLIENT_SECRET"].startswith("turris_sandbox_secret_")
        running.process.send_signal(signal.SIGINT)
        log = running.process.communicate(timeout=60)[1]
    assert "# TURRIS_CLIENT_SECRET in the environment is not that of a sandbox" in log
    assert "s3cr3t" not in log


def test_a_client_id_is_issued_once() -> None:
    """Another client cannot have the same id."""
    sandbox = Sandbox(client_id=CLIENT_ID, client_secret=SECRET)
    assert (sandbox.client.client_id, str(sandbox.client.client_secret)) == (CLIENT_ID, SECRET)
    with pytest.raises(CredentialError, match="is in use"):
        sandbox.credentials.issue(client_id=CLIENT_ID)


def test_unknown_world() -> None:
    """The names are listed."""
    result = CliRunner().invoke(app, ["serve", "--port", "0", "--data", "small_agenc"])
    assert result.exit_code == 2
    assert "--data: " in result.output
    assert "small_agency" in result.output


def test_what_was_not_delivered_is_said_in_the_last_line() -> None:
    """A delivery under way holds up nothing; what the receiver did not accept is named."""
    begun, release = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(30)

    with receiving() as (url, handler):
        handler.work = staticmethod(work)  # type: ignore[method-assign]  # of this receiver alone
        log: list[str] = []
        with served(log=log) as running:
            sandbox = running.sandbox
            endpoint = sandbox.outbox.register(
                url, "PRODUCER_AGREEMENT_EXECUTED", sandbox.clock.now()
            )
            sandbox.outbox.request_test(endpoint, sandbox.clock.now())
            assert begun.wait(10)
            assert running.unsent() == (f"webhook 1 PRODUCER_AGREEMENT_EXECUTED -> {url}",)
            sandbox.outbox.endpoints.remove(endpoint.id)
            assert running.unsent()[0].endswith("-> a removed webhook")
        release.set()
    del handler


def test_what_a_tenant_did_not_deliver_is_said_too() -> None:
    """With the name of the tenant."""
    with served() as running:
        pass  # nothing is sent from now on
    other = running.tenants.create("other", running.sandbox.options).sandbox
    url, now = "http://127.0.0.1:9/", other.clock.now()
    endpoint = other.outbox.register(url, "PRODUCER_AGREEMENT_EXECUTED", now)
    other.outbox.request_test(endpoint, now)
    assert running.unsent() == (f"webhook 1 PRODUCER_AGREEMENT_EXECUTED -> {url} for other",)


def test_ends_while_a_delivery_is_under_way() -> None:
    """With status 0, and a last line that names it."""
    begun, release = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(30)

    with receiving() as (url, handler), serving() as running:
        handler.work = staticmethod(work)  # type: ignore[method-assign]  # of this receiver alone
        bearer = f"Bearer {running.token()}"
        body = json.dumps({"url": url, "webhookType": "PRODUCER_AGREEMENT_EXECUTED"}).encode()
        made = running.call("/v1/webhooks", data=body, Authorization=bearer)["data"]
        for _ in range(7):
            path = f"/v1/webhooks/{made['_id']}/test"
            running.call(path, data=b"{}", Authorization=bearer)
        assert begun.wait(10)
        running.process.send_signal(signal.SIGTERM)
        log = running.process.communicate(timeout=60)[1]
        release.set()
    assert running.process.returncode == 0
    last = log.splitlines()[-1]
    assert "stopped; 7 webhooks were not delivered: webhook 1 PRODUCER_AGREEMENT_EX" in last
    assert last.endswith("; ...")


def test_public_url_is_the_one_of_all_absolute_urls() -> None:
    """Of the environment, and of the description; its name is accepted."""
    settings = ServerSettings(public_url="https://turris.example:8443")
    with served(settings=settings) as running:
        assert running.environment()["TURRIS_BASE_URL"] == "https://turris.example:8443"
        found = gotten(running, "/__sandbox__/openapi.json", Host="turris.example:8443")
        assert found["servers"][0]["url"] == "https://turris.example:8443"


@pytest.mark.parametrize("host", ["localhost", "turris"])
def test_the_description_names_the_server_as_it_was_asked(host: str) -> None:
    """And never the live host, which a generated client would take for its default."""
    with served(settings=ServerSettings(allow_hosts=("turris",))) as running:
        name = f"{host}:{running._server.port}"
        found = gotten(running, "/__sandbox__/openapi.json", Host=name)
    assert found["servers"][0]["url"] == f"http://{name}"
    assert "live" not in json.dumps(found["servers"])


def test_issuer_follows_no_name() -> None:
    """A token that was issued under one name is good under the other."""
    settings = ServerSettings(allow_hosts=("turris",), public_url="https://turris.example")
    with served(settings=settings) as running:
        token = running.sandbox.tokens.issue(running.sandbox.client)
        claims = jwt.decode(token.text, options={"verify_signature": False})
        assert claims["iss"] == running.sandbox.options.token_issuer
        for host in ("turris", "localhost"):
            found = gotten(running, "/v1/agents", Host=host, Authorization=f"Bearer {token.text}")
            assert found["data"] == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("turris.example", "give scheme, host and port"),
        ("https://turris.example/api", "give scheme, host and port"),
        ("https://public.api.live.turrisfi.com", "is the real Turris"),
    ],
)
def test_wrong_public_urls(url: str, words: str) -> None:
    """They are refused in one line."""
    result = CliRunner().invoke(app, ["serve", "--port", "0", "--public-url", url])
    assert result.exit_code == 2
    assert words in result.output


def test_refused_names_are_told_how_to_be_accepted() -> None:
    """In the answer and in the log."""
    log: list[str] = []
    with served(log=log) as running:
        found = gotten(running, "/v1/agents", Host="turris:8791")
    assert "'turris-sandbox serve --allow-host NAME'" in found["errorMessage"][0]
    assert any(line.startswith("warning: GET /v1/agents -> 421") for line in log)


def test_a_refused_origin_is_told_how_to_be_accepted() -> None:
    """In the answer and in the log; not where no option helps."""
    log: list[str] = []
    origin = "http://localhost:5173"
    with served(log=log) as running:
        told = gotten(running, "/v1/agents", Origin=origin)["errorMessage"]
        silent = [
            gotten(running, path, **headers)["errorMessage"]
            for path, headers in (
                ("/__sandbox__/clock", {"Origin": origin}),
                ("/v1/agents", {"Origin": "null"}),
                ("/v1/agents", {"Sec-Fetch-Site": "cross-site"}),
            )
        ]
    assert "'turris-sandbox serve --cors-origin ORIGIN'" in told[0]
    assert log[0] == f"warning: GET /v1/agents -> 403  {told[0]}"
    assert silent == [["Requests from web pages are refused"]] * 3


def test_plain_http_on_a_port_with_tls_is_logged() -> None:
    """The client sees an empty answer; the log says why."""
    log: list[str] = []
    with served(Options(tls=True), log=log) as running:
        with socket.create_connection(("127.0.0.1", running._server.port), timeout=60) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert not sock.recv(1_000).startswith(b"HTTP")
        eventually(lambda: log)
    assert log == [
        "warning: connection refused: it speaks plain HTTP, but this port speaks HTTPS: use https://"
    ]


def test_an_exchange_is_logged_with_the_sandbox_s_time_if_it_is_another() -> None:
    """The log has the machine's time itself. The details of an exchange stand in the same line."""
    log: list[str] = []
    with served(log=log) as running:
        for hours in (0, 3):
            running.sandbox.clock.advance(hours=hours)
            connection = http.client.HTTPConnection("127.0.0.1", running._server.port, timeout=60)
            connection.request("GET", "/v1/agents?token=x")
            assert connection.getresponse().status == 401
            connection.close()
        eventually(lambda: len(log) == 2)
        moment = str(running.sandbox.journal[-1])[:12]
    assert log[0].startswith("GET /v1/agents?token=")
    assert log[1] == f"{moment}Z  {log[0]}"
    assert "\n" not in log[0]
    assert "  a token was sent in the URL" in log[0]


def test_a_webhook_that_its_receiver_refuses_names_its_key() -> None:
    """A 401 is mostly the key: it is the webhook's own, unless an option makes one for all."""
    log: list[str] = []
    with receiving() as (url, handler), served(log=log) as running:
        handler.status = 401
        sandbox = running.sandbox
        endpoint = sandbox.outbox.register(url, "PRODUCER_AGREEMENT_EXECUTED", sandbox.clock.now())
        sandbox.outbox.request_test(endpoint, sandbox.clock.now())
        eventually(lambda: log)
    assert "It is signed with this webhook's own secret" in log[0]
    assert str(endpoint.secret) not in log[0]


def test_an_answer_can_really_be_slow() -> None:
    """Over a socket the client waits; its own timeout is real."""
    with served() as running:
        running.sandbox.faults.add("list_agents", real_delay=0.4)
        port = running._server.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.1)
        connection.request("GET", "/v1/agents")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"real_delay": -1.0}, "is not 0 to 300 seconds"),
        ({"real_delay": 301.0}, "is not 0 to 300 seconds"),
        ({"real_delay": 1.0, "error": "reset"}, "with an error there is none"),
        ({"real_delay": float("nan")}, "real_delay=nan is not a number of seconds"),
    ],
)
def test_wrong_real_delays(arguments: dict[str, Any], words: str) -> None:
    """A wait that nobody would sit out, or that delays nothing."""
    with pytest.raises(FaultError, match=words):
        Sandbox().faults.add("list_agents", **arguments)
