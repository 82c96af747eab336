"""The loopback proxy, and the rule that uses it."""

import http.client
import socket

import pytest
import requests
from doubles.clients.good_client import GoodClient
from doubles.clients.sweeping import examine

from pytest_turris.conformance.servers.proxy import loopback_proxy
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

MAX_SECONDS = 5
KEYS = "/.well-known/jwks.json"


class UsesTheProxy(GoodClient):
    """Takes the proxy of the environment, and leaves the rest to its library."""

    trust_env = True


def get_through_a_proxy(server: Server) -> tuple[int, list[Request]]:
    """The status of a request with a proxy's credentials, and what arrived at the sandbox."""
    seen: list[Request] = []

    def note(request: Request, handle: Handle) -> Response:
        seen.append(request)
        return handle(request)

    with server.sandbox.interceptors.use(note), loopback_proxy() as port:
        proxy = f"http://user:password@127.0.0.1:{port}"
        answer = requests.get(
            server.base_url + KEYS, proxies={"http": proxy, "https": proxy},
            verify=server.ca_file or True, timeout=MAX_SECONDS,
        )  # fmt: skip
    return answer.status_code, seen


def test_plain_request_is_forwarded_without_proxy_fields(turris_server: Server) -> None:
    """A request with an absolute URL arrives with its path, without the proxy's credentials."""
    status, (request,) = get_through_a_proxy(turris_server)
    assert (status, request.path, request.header("proxy-authorization")) == (200, KEYS, "")
    assert request.header("connection") == "close"


@pytest.mark.turris(tls=True)
def test_tls_goes_through_a_tunnel(turris_server: Server) -> None:
    """A request through a CONNECT tunnel arrives unchanged."""
    status, (request,) = get_through_a_proxy(turris_server)
    assert (status, request.scheme, request.header("proxy-authorization")) == (200, "https", "")


@pytest.mark.parametrize("method", ["CONNECT", "GET"])
def test_proxy_leads_to_this_machine_only(method: str) -> None:
    """It refuses every other host."""
    with loopback_proxy() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=MAX_SECONDS)
        target = "example.com:443" if method == "CONNECT" else "http://example.com/"
        connection.request(method, target)
        assert connection.getresponse().status == 403
        connection.close()


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize("stack", ["httpx", "requests"])
def test_client_that_uses_the_proxy_is_right(
    stack: str, turris: Sandbox, turris_time: TimeTravel, turris_server: Server
) -> None:
    """Credentials that only the proxy gets break no rule."""
    verdict = examine(TokenCase("TC-36", turris, turris_time), stack, UsesTheProxy)
    assert verdict.outcome == "passed", verdict


def test_proxy_survives_a_client_that_goes_away() -> None:
    """A connection without a whole request is dropped; the next one is served."""
    with loopback_proxy() as port:
        with socket.create_connection(("127.0.0.1", port), MAX_SECONDS) as client:
            client.sendall(b"CONNECT 127")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=MAX_SECONDS)
        connection.request("GET", "http://example.com/")
        assert connection.getresponse().status == 403
        connection.close()


def test_silent_tunnel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tunnel through which nothing goes does not stay open for ever."""
    monkeypatch.setattr("pytest_turris.conformance.servers.proxy._TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as origin, loopback_proxy() as port:
        target = f"127.0.0.1:{origin.getsockname()[1]}"
        with socket.create_connection(("127.0.0.1", port), MAX_SECONDS) as client:
            client.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            assert client.recv(100) == b""
