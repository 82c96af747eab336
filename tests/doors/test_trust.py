"""Clients that share an SSL context still verify, and cost next to nothing."""

import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import trustme

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.opening import open_doors

CLIENTS: dict[str, Callable[..., Any]] = {"httpx": httpx.Client, "httpx2": httpx2.Client}


@pytest.fixture(params=CLIENTS)
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes a client of either library, in an environment that names no trust store."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return CLIENTS[request.param]


@pytest.fixture
def doors() -> Iterator[Sandbox]:
    """A sandbox with its doors open."""
    sandbox = Sandbox()
    with open_doors(sandbox):
        yield sandbox


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no trust store knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def stranger(authority: trustme.CA) -> Iterator[str]:
    """An HTTPS server on loopback with a certificate of that authority."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    class Server(http.server.ThreadingHTTPServer):
        def get_request(self) -> tuple[ssl.SSLSocket, object]:
            plain, address = self.socket.accept()
            wrapped = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            return wrapped, address

        def handle_error(self, *args: object) -> None:
            """Ignore the handshakes that the client breaks off: these tests provoke them."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def refuses(client: Any, url: str) -> bool:  # noqa: ANN401 - of either library
    """Whether a client refuses a server for its certificate."""
    try:
        client.get(url)
    except (httpx.ConnectError, httpx2.ConnectError) as error:
        return "CERTIFICATE_VERIFY_FAILED" in str(error)
    return False


def context_of(client: Any) -> ssl.SSLContext:  # noqa: ANN401 - of either library
    """The SSL context of a client."""
    found: ssl.SSLContext = client._transport._pool._ssl_context
    return found


def test_default_clients_share(doors: Sandbox, make: Callable[..., Any]) -> None:
    """Clients with the default trust share a context, which verifies names and chains."""
    with make() as one, make() as two:
        assert context_of(one) is context_of(two)
        assert context_of(one).verify_mode == ssl.CERT_REQUIRED
        assert context_of(one).check_hostname


def test_bad_certificate_is_refused(
    doors: Sandbox, make: Callable[..., Any], stranger: str
) -> None:
    """A client that shares refuses a certificate of an unknown authority every time."""
    for _ in range(2):
        with make() as client:
            assert refuses(client, stranger)


def test_nobody_else_profits_from_a_lenient_client(
    doors: Sandbox, make: Callable[..., Any], stranger: str, authority: trustme.CA
) -> None:
    """``verify=False`` and an own context apply to the client that asked, and to no later one."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    for verify in (False, trusting):
        with make(verify=verify) as lenient, make() as default:
            assert lenient.get(stranger).status_code == 204
            assert refuses(default, stranger)


def test_public_function_gives_a_context_of_ones_own(
    doors: Sandbox, make: Callable[..., Any], stranger: str
) -> None:
    """``create_ssl_context`` is for changing its result, so it is never the shared one."""
    for library in (httpx, httpx2):
        mine = library.create_ssl_context()
        mine.check_hostname, mine.verify_mode = False, ssl.CERT_NONE
    with make() as client:
        assert refuses(client, stranger)


def test_changed_context_is_not_given_out_again(
    doors: Sandbox, make: Callable[..., Any], stranger: str, authority: trustme.CA
) -> None:
    """Weakening the context of one client weakens no later client."""
    with make() as first:
        context_of(first).check_hostname = False
        context_of(first).verify_mode = ssl.CERT_NONE
        assert not refuses(first, stranger)
    with make() as second:
        authority.configure_trust(context_of(second))
        assert not refuses(second, stranger)
    with make() as third:
        assert refuses(third, stranger)


def test_trust_store_of_the_environment_counts(  # noqa: PLR0917 - fixtures
    doors: Sandbox,
    make: Callable[..., Any],
    stranger: str,
    authority: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """``SSL_CERT_FILE`` applies from the next client on, and so does a change of that file."""
    store = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(store)
    with make() as before:
        assert refuses(before, stranger)
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    with make() as trusting, make(trust_env=False) as deaf:
        assert trusting.get(stranger).status_code == 204
        assert refuses(deaf, stranger)
    trustme.CA().cert_pem.write_to_path(store)
    with make() as after:
        assert refuses(after, stranger)


def test_option_switches_it_off(make: Callable[..., Any]) -> None:
    """With ``share_ssl_context=False`` each client has its own context, as without us."""
    with (
        open_doors(Sandbox(Options(share_ssl_context=False))),
        make() as one,
        make() as two,
    ):
        assert context_of(one) is not context_of(two)


def test_nobody_shares_after_the_door_closed(make: Callable[..., Any]) -> None:
    """Outside the doors each client has its own context."""
    with open_doors(Sandbox()), make() as during:
        pass
    with make() as after:
        assert context_of(during) is not context_of(after)
