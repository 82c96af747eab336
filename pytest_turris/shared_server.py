"""``--turris-url``: the sandbox of each test behind a standalone server that many share."""

import contextlib
import os
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from pytest_turris.core.hosts import is_turris
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.relay import Relay, RelayError
from pytest_turris.live_fixture import Server

OPTION = "--turris-url"
TOKEN = "TURRIS_CONTROL_TOKEN"
"""The environment variable that holds what the server wants of whoever controls it."""

_TRUST = "SSL_CERT_FILE"
_WORKERS = "PYTEST_XDIST_WORKER_COUNT"

_SHARED = pytest.StashKey["SharedServer"]()


class SharedServer:
    """A standalone server, and this process' connection to it."""

    def __init__(self, url: str) -> None:
        """Connect.

        Raises:
            ValueError: It is no base URL, or that of the real Turris.
            RelayError: Nothing answers there, or it refuses.
        """
        self.base_url: str = _checked(url)
        is_secure = self.base_url.startswith("https:")
        self._ca_file = os.environ.get(_TRUST) or None if is_secure else None
        self._relay = Relay(
            self.base_url,
            os.environ.get(TOKEN, ""),
            workers=int(os.environ.get(_WORKERS, "1")),
            context=ssl.create_default_context(cafile=self._ca_file) if is_secure else None,
        )

    @contextlib.contextmanager
    def sandbox(self, options: Options, test: str) -> Iterator[Sandbox]:
        """A sandbox that answers at the server, while the context is open."""
        # Another name than a test's own: elsewhere the same test may run, at the same server.
        sandbox = Sandbox(options, name=f"{test} {self._relay.id}", base_url=self.base_url)
        with self._relay.serve(sandbox, test):
            yield sandbox

    @contextlib.contextmanager
    def serve(self, sandbox: Sandbox) -> Iterator[Server]:
        """The server as ``turris_server`` gives it; the sandbox answers there already."""
        yield Server(self.base_url, sandbox, self._ca_file)

    def stop(self) -> None:
        """Hang up."""
        self._relay.stop()


def sandbox_at(url: str, node: pytest.Item, options: Options) -> Sandbox:
    """The sandbox of a test at the server of ``--turris-url``, until the test is over."""
    __tracebackhide__ = True
    shared = shared_server(node.config, url)
    if options.tls and not shared.base_url.startswith("https:"):
        pytest.fail(
            f"turris: tls=True, but the server of {OPTION} speaks plain HTTP: start it with "
            "'turris-sandbox serve --tls', or take the option away",
            pytrace=False,
        )
    hosted = contextlib.ExitStack()
    with _said_briefly():
        sandbox = hosted.enter_context(shared.sandbox(options, node.nodeid))
    node.addfinalizer(_said_briefly()(hosted.close))
    return sandbox


def shared_server(config: pytest.Config, url: str) -> SharedServer:
    """The server that ``--turris-url`` names: one connection for the whole run."""
    __tracebackhide__ = True
    if _SHARED not in config.stash:
        with _said_briefly():
            config.stash[_SHARED] = SharedServer(url)
        config.add_cleanup(config.stash[_SHARED].stop)
    return config.stash[_SHARED]


@contextlib.contextmanager
def _said_briefly() -> Iterator[None]:
    """A mistake, or a server that went away, fails the test with the message alone."""
    __tracebackhide__ = True
    try:
        yield
    except (RelayError, ValueError) as error:
        words = str(error)
    else:
        return
    pytest.fail(
        f"turris: {OPTION}: {words}. 'turris-sandbox serve' prints the URL, and {TOKEN} for the "
        "environment of pytest",
        pytrace=False,
    )


def _checked(url: str) -> str:
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"{url!r} is no URL such as http://127.0.0.1:8791")
    if is_turris(address.netloc):
        raise ValueError(f"{address.hostname} is the real Turris")
    if address.path.strip("/") or address.query or address.fragment or address.username:
        raise ValueError("give scheme, host and port alone")
    return f"{address.scheme}://{address.netloc}"
