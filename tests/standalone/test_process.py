"""``turris-sandbox serve`` as a process: signals, streams, addresses, exposure."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from doubles.ports import has_ipv6
from doubles.served_sandbox import COMMAND, RefusedError, Running, serving

from mock_server.exit_status import INTERNAL_ERROR
from mock_server.shell.cli import app

CONTROL = "/__sandbox__/control/relays"
LINES_OF_A_FULL_PIPE = 1_500
LINES_OF_NO_HTTP = 2_200
"""uvicorn's line has 31 bytes."""
REQUEST = (
    b"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n"
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    """A server for the tests that do not end it."""
    with serving(log=subprocess.DEVNULL) as running:
        yield running


def port_of(running: Running) -> int:
    """The port of a server."""
    return int(running.variables["TURRIS_BASE_URL"].rpartition(":")[2])


def status(running: Running, host: str = "127.0.0.1", **headers: str) -> int:
    """The status of a request without a credential."""
    connection = http.client.HTTPConnection(host, port_of(running), timeout=60)
    try:
        connection.request("GET", "/.well-known/jwks.json", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_end_it_in_order(number: signal.Signals) -> None:
    """With status 0 and a last line, also while a client is connected."""
    with serving("--tls") as running:
        folder = Path(running.variables["SSL_CERT_FILE"]).parent
        with socket.create_connection(("127.0.0.1", port_of(running))):
            running.process.send_signal(number)
            log = running.process.communicate(timeout=60)[1]
    assert running.process.returncode == 0
    assert log.endswith("stopped\n")
    assert not folder.exists()


def test_log_that_is_not_read_blocks_no_client() -> None:
    """A pipe holds 64 KiB; the server answers further requests all the same."""
    with serving() as running:
        with socket.create_connection(("127.0.0.1", port_of(running)), timeout=60) as sock:
            for _ in range(LINES_OF_A_FULL_PIPE):
                sock.sendall(REQUEST)
                assert sock.recv(65_536).startswith(b"HTTP/1.1 401 ")
        running.process.kill()


def test_what_is_no_http_fills_no_pipe() -> None:
    """Uvicorn logs each such request; these lines block nobody either."""
    with serving() as running:
        address = ("127.0.0.1", port_of(running))
        for _ in range(LINES_OF_NO_HTTP):
            with socket.create_connection(address, timeout=60) as sock:
                sock.sendall(b"no HTTP\r\n\r\n")
                assert sock.recv(65_536).startswith(b"HTTP/1.1 400 ")
        assert status(running) == 200
        running.process.kill()


def test_serves_without_standard_error() -> None:
    """Closed, as ``2>&-`` does: requests are answered, and not logged."""
    with subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        running = Running(process)
        assert running.token().startswith("eyJ")
        process.send_signal(signal.SIGINT)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_both_loopback_addresses_answer(shared: Running) -> None:
    """``localhost`` is either, so both are served."""
    assert status(shared, "127.0.0.1") == 200
    assert status(shared, "::1") == 200


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_serves_on_ipv6_alone() -> None:
    """``--host ::1`` is an address like any other."""
    with serving("--host", "::1") as running:
        assert running.variables["TURRIS_BASE_URL"].startswith("'http://[::1]:")
        running.variables["TURRIS_BASE_URL"] = running.variables["TURRIS_BASE_URL"].strip("'")
        assert running.token().startswith("eyJ")


def test_exposure_is_announced_and_names_are_accepted() -> None:
    """Other machines reach it by the names that the user allows, and by no other."""
    flags = ("--host", "0.0.0.0", "--i-understand-network-exposure", "--allow-host", "turris")  # noqa: S104 - on purpose
    with serving(*flags) as running:
        assert status(running, Host="turris:8791") == 200
        assert status(running, Host="other:8791") == 421
        running.process.send_signal(signal.SIGINT)
        log = running.process.communicate(timeout=60)[1]
    assert (
        "# --host 0.0.0.0, --allow-host turris: other machines can read and change this sandbox"
        in log
    )
    assert (
        "GET /.well-known/jwks.json -> 421  Misdirected request: the sandbox answers to loopback "
        "names only" in log
    )


def test_request_without_host_is_refused_for_that() -> None:
    """Also of HTTP/1.0, which allows it: browsers always have one. Health can be asked for."""
    with serving() as running:
        assert b" 200 OK" in _raw(running, b"GET /__sandbox__/health HTTP/1.0\r\n\r\n")
        assert b"has no Host header" in _raw(running, b"GET /v1/agents HTTP/1.0\r\n\r\n")
        assert b"has no Host header" in _raw(running, b"GET /v1/agents HTTP/1.1\r\n\r\n")
        running.process.send_signal(signal.SIGINT)
        log = running.process.communicate(timeout=60)[1]
    assert "warning: GET /v1/agents -> 421  Misdirected request: it has no Host header\n" in log
    assert (
        "warning: GET /v1/agents -> 400  Request is not valid HTTP: it has no Host header\n" in log
    )


def _raw(running: Running, sent: bytes) -> bytes:
    port = running.variables["TURRIS_BASE_URL"].rpartition(":")[2]
    with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as client:
        client.sendall(sent)
        return b"".join(iter(lambda: client.recv(65_536), b""))


@pytest.mark.parametrize("token", ["", "short"])
def test_exposed_control_token_is_long(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """A short one is refused; an empty one is as good as none: a new one is printed."""
    monkeypatch.setenv("TURRIS_CONTROL_TOKEN", token)
    flags = ["--host", "192.0.2.1", "--i-understand-network-exposure"]
    result = CliRunner().invoke(app, ["serve", *flags])
    assert result.exit_code == 2
    assert ("TURRIS_CONTROL_TOKEN has fewer than 32 characters" in result.output) == bool(token)


def test_control_token_is_made_here(shared: Running) -> None:
    """It has 256 bits, and a name by which reports mask it."""
    token = shared.variables["TURRIS_CONTROL_TOKEN"]
    assert len(token) == len("turris_sandbox_control_") + 64


@pytest.mark.parametrize("site", ["cross-site", "same-site", "bogus"])
def test_what_a_page_of_another_site_embeds_is_refused(shared: Running, site: str) -> None:
    """A browser sends no ``Origin`` for an image, but says that another site asks for it."""
    assert status(shared, **{"Sec-Fetch-Site": site}) == 403
    assert status(shared, **{"Sec-Fetch-Site": "none"}) == 200


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"Content-Type": "text/plain"}, "415"),
        ({"Content-Type": ""}, "415"),
        ({"User-Agent": "Mozilla/5.0"}, "403"),
        ({"Authorization": "Bearer wrong"}, "401"),
    ],
)
def test_control_api_refuses_what_a_browser_could_send(
    shared: Running, headers: dict[str, str], refusal: str
) -> None:
    """Even with the token."""
    token = f"Bearer {shared.variables['TURRIS_CONTROL_TOKEN']}"
    with pytest.raises(RefusedError, match=refusal):
        shared.call(CONTROL, data=b"{}", **({"Authorization": token} | headers))


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_wrong_ports(port: str) -> None:
    """A port that there is not is reported in the usual words."""
    result = CliRunner().invoke(app, ["serve", "--port", port])
    assert result.exit_code == 2
    assert "Invalid value for '--port'" in result.output


def test_a_server_that_ends_by_itself_is_an_error() -> None:
    """Whatever ended it: a script that waits for it sees the status."""
    ends = (
        "import sys; from mock_server.__main__ import main; "
        "from mock_server.serving.server import StandaloneSandbox; "
        "StandaloneSandbox.wait = lambda _: None; sys.argv[1:] = ['serve', '--port', '0']; "
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", ends], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == INTERNAL_ERROR
    assert "turris-sandbox: the server ended by itself; its log says why\n" in done.stderr
