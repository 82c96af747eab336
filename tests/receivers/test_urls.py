"""URLs of receivers: with a query, without a path, without a scheme."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from doubles.ports import has_ipv6
from doubles.receivers.kinds import listening

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks
from pytest_turris.receivers.egress import EgressRefused, check_egress
from pytest_turris.receivers.target import UrlTarget
from pytest_turris.webhooks.factory import WebhookFactory

BOTH = ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))


@pytest.mark.parametrize(
    ("base", "path", "arrives"),
    [
        ("?a=1", "", "/?a=1"),
        ("/hook?a=1", "", "/hook?a=1"),
        ("/base/?a=1", "/more", "/base/more?a=1"),
        ("/base?a=1", "/more?b=2", "/base/more?b=2&a=1"),
        ("/base", "/more?b=2", "/base/more?b=2"),
        ("/a%2Fb/?c=%20", "", "/a%2Fb/?c=%20"),
        ("", "/more", "/more"),
    ],
)
def test_path_and_query_arrive(
    webhooks: WebhookFactory, base: str, path: str, arrives: str
) -> None:
    """A path goes before the query of the URL; nothing else is changed."""
    with listening(lambda _body, _headers: True) as url:
        assert webhooks.sign(b"{}").send(url + base, path).headers["x-path"] == arrives


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1", ""),
        ("http://127.0.0.1:1?a=1", "http://127.0.0.1:1", "/?a=1"),
        ("http://127.0.0.1:1/b?a=/1", "http://127.0.0.1:1", "/b?a=/1"),
    ],
)
def test_path_of_a_url_is_split_off(url: str, host: str, path: str) -> None:
    """Attacks on the path change the URL's own."""
    target = UrlTarget(url=url).split()
    assert (target.url, target.path) == (host, path)


@pytest.mark.parametrize("url", ["localhost:3000/hook", "127.0.0.1:8000/x", "//localhost/x"])
def test_url_without_a_scheme_gets_the_right_one(url: str) -> None:
    """The message has the URL as it should be written."""
    with pytest.raises(EgressRefused, match=f"it has no scheme; write http://{url.lstrip('/')}"):
        check_egress(url)
    with pytest.raises(EgressRefused, match="only http and https"):
        check_egress("ftp://localhost/x")


def test_refused_connection_names_the_address(webhooks: WebhookFactory) -> None:
    """The error says where nothing listens."""
    with listening(lambda _body, _headers: True) as url:
        pass
    with pytest.raises(ConnectionRefusedError, match=r"nothing listens at 127.0.0.1:\d+"):
        webhooks.sign(b"{}").send(url)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_localhost_is_either_address(
    webhooks: WebhookFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that listens on ``::1`` alone is reached, and the error names both addresses."""
    found = [(family, 1, 6, "", (address, 0)) for family, address in BOTH]
    resolve = socket.getaddrinfo

    def resolved(host: str, port: int, *more: int, **named: int) -> object:
        known: object = resolve(host, port, *more, **named)
        return found if host == "localhost" else known

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    received = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    class OnIPv6(HTTPServer):
        address_family = socket.AF_INET6

    with OnIPv6(("::1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        url = f"http://localhost:{server.server_port}/hook"
        assert webhooks.sign(b"{}").send(url).status_code == 204
        server.shutdown()
        thread.join(10)
    assert received == ["/hook"]
    both = r"nothing listens at localhost:\d+ \(127.0.0.1, ::1\)"
    with pytest.raises(ConnectionRefusedError, match=both):
        webhooks.sign(b"{}").send(url)


@pytest.mark.parametrize(
    ("agent", "seen"), [(None, "Turris-Webhooks/1.0"), ("Other/2", "Other/2"), ("", "")]
)
def test_every_delivery_has_a_user_agent(agent: str | None, seen: str) -> None:
    """Webhooks of the factory, of the engine and of attacks carry the agent of the option."""
    options = Options() if agent is None else Options(webhook_user_agent=agent)
    webhooks = TurrisWebhooks.of(Sandbox(options, name="agent"))
    agents: list[str] = []

    def verify(body: bytes, headers: dict[str, str]) -> bool:
        agents.append(headers.get("User-Agent", ""))
        return True

    webhooks.producer_agreement_executed().send(verify)
    webhooks.attack("WH-02").send(verify)
    webhooks.test(webhooks.register(verify, event="PRODUCER_AGREEMENT_EXECUTED"))
    assert agents == [seen] * 3
