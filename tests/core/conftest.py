"""A sandbox on a stopped clock, and clients for it."""

from collections.abc import Callable

import pytest
from doubles.sandbox_client import NOW, Client

from pytest_turris.core.clock import Clock
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox


@pytest.fixture(autouse=True)
def still_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Freeze the process's time, so that only the test moves the sandbox's clock.

    Tests with ``turris_time`` move the process itself, so theirs is left alone.
    """
    if "turris_time" not in request.fixturenames:
        monkeypatch.setattr(Clock, "process_time", staticmethod(lambda: NOW))


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox with the default options."""
    return Sandbox()


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    """A client without a token."""
    return Client(sandbox)


@pytest.fixture
def caller(client: Client) -> Client:
    """A client with a token, which cost it one token request."""
    client.token()
    return client


@pytest.fixture
def caller_with() -> Callable[..., Client]:
    """Makes clients with a token, for sandboxes with other options."""

    def build(**options: object) -> Client:
        client = Client(Sandbox(Options.from_layers(options)))
        client.token()
        return client

    return build
