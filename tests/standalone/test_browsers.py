"""``serve --cors-origin``: what a browser application of a known origin may do, and no other."""

import http.client
import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from doubles.ports import has_ipv6
from doubles.served_here import served

from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.shell.cli import app

ORIGIN = "http://localhost:5173"


@pytest.fixture(scope="module")
def server() -> Iterator[StandaloneSandbox]:
    """A server that a browser application may use."""
    with served(settings=ServerSettings(cors_origins=(ORIGIN,))) as running:
        yield running


def sent(
    server: StandaloneSandbox, method: str, path: str, body: str | None = None, **headers: str
) -> http.client.HTTPResponse:
    """Send what a browser sends."""
    connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=60)
    connection.request(
        method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_server_listens_on_loopback_alone(server: StandaloneSandbox) -> None:
    """On both of its addresses, where the machine has both."""
    addresses = [sock.getsockname()[0] for sock in server._server._sockets]
    assert addresses == (["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"])


def test_known_origin_gets_a_token(server: StandaloneSandbox) -> None:
    """The preflight allows the method and the headers; the answer can be read."""
    preflight = sent(
        server, "OPTIONS", "/v1/auth/jwt",
        Origin=ORIGIN, Sec_Fetch_Site="cross-site",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization,content-type",
        Access_Control_Request_Private_Network="true",
    )  # fmt: skip
    assert preflight.status == 204
    assert preflight.getheader("access-control-allow-origin") == ORIGIN
    assert "POST" in preflight.getheader("access-control-allow-methods", "")
    allowed = preflight.getheader("access-control-allow-headers")
    assert allowed == "authorization,content-type"
    assert preflight.getheader("access-control-allow-private-network") == "true"
    client = server.sandbox.client
    body = json.dumps({"clientId": client.client_id, "clientSecret": str(client.client_secret)})
    answer = sent(
        server, "POST", "/v1/auth/jwt", body,
        Origin=ORIGIN, Sec_Fetch_Site="cross-site", Content_Type="application/json",
    )  # fmt: skip
    assert answer.status == 201
    assert answer.getheader("access-control-allow-origin") == ORIGIN
    assert answer.getheader("access-control-expose-headers") == "*"
    assert answer.getheader("access-control-allow-credentials") is None


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:5174", f"{ORIGIN}.evil.example"]
)
def test_other_origins_are_refused(server: StandaloneSandbox, origin: str) -> None:
    """With and without a preflight, and without any of the headers."""
    for method in ("OPTIONS", "GET"):
        answer = sent(server, method, "/v1/agents", Origin=origin)
        assert answer.status == 403
        assert answer.getheader("access-control-allow-origin") is None


@pytest.mark.parametrize(
    "path",
    [
        "/__sandbox__/control/tenants", "/__sandbox__/clock", "/__sandbox__/page/default/overview",
        "/%5f_sandbox__/clock", "/__sandbox%5f_/clock", "/__sandbox__/health", "/__sandbox__/",
    ],
)  # fmt: skip
def test_control_api_is_never_opened(server: StandaloneSandbox, path: str) -> None:
    """Not even for the known origin, and not with the token."""
    for method in ("OPTIONS", "GET"):
        bearer = f"Bearer {server.control_token}"
        answer = sent(server, method, path, Origin=ORIGIN, Authorization=bearer)
        assert answer.status in (401, 403)
        assert answer.getheader("access-control-allow-origin") is None


@pytest.mark.parametrize(
    "lines",
    [
        [("Origin", ORIGIN), ("Origin", "https://evil.example")],
        [("Origin", "https://evil.example"), ("Origin", ORIGIN)],
        [("Origin", "own"), ("Origin", "https://evil.example")],
        [("Origin", "https://evil.example"), ("Origin", "own")],
        [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-origin")],
        [("Sec-Fetch-Site", "same-site")],
    ],
)
def test_doubled_headers_open_nothing(
    server: StandaloneSandbox, lines: list[tuple[str, str]]
) -> None:
    """Whichever of them comes first."""
    connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=60)
    connection.putrequest("GET", "/v1/agents")
    for name, value in lines:
        connection.putheader(name, server.base_url if value == "own" else value)
    connection.endheaders()
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 403
    assert answer.getheader("access-control-allow-origin") is None


def test_preflight_echoes_names_only(server: StandaloneSandbox) -> None:
    """What is not a list of header names is not repeated."""
    answer = sent(
        server, "OPTIONS", "/v1/agents", Origin=ORIGIN, Access_Control_Request_Headers="<script>"
    )
    assert answer.getheader("access-control-allow-headers") is None


@pytest.mark.parametrize("origin", ["*", "null", "localhost:5173", "http://localhost:5173/"])
def test_wrong_origins(origin: str) -> None:
    """An origin is scheme, host and port; all origins at once are not on offer."""
    result = CliRunner().invoke(app, ["serve", "--cors-origin", origin])
    assert result.exit_code == 2
    assert "is not an origin, such as http://localhost:5173" in result.output
