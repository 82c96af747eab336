"""Hooks and fixtures, and nothing else.

This module is loaded in every pytest run of every user, so it imports pytest alone; what a
fixture needs is imported when that fixture is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_turris.core.options import Options
    from pytest_turris.core.sandbox import Sandbox
    from pytest_turris.live_fixture import Server, ServerPool
    from pytest_turris.time_travel import TimeTravel
    from pytest_turris.webhooks.factory import WebhookFactory

_PREFIX = "turris"
_INI_NAMES = (
    "environment", "seed", "envelope", "optional_fields", "token_ttl", "refresh_buffer",
    "token_issuer", "token_audience", "restricted_token_access", "token_requests_per_minute",
    "writes_per_minute", "rate_window", "rate_headers", "retry_after", "idempotency_ttl",
    "idempotency_conflict", "allow_plain_http", "max_body_bytes", "client_ip",
    "signature_header", "signature_encoding", "signature_prefix", "signature_timestamped",
    "signature_signs", "webhook_secret", "fail_on_refusal", "fail_on_unused_fault",
    "journal_limit", "tls", "env_base_url", "env_client_id", "env_client_secret",
    "env_webhook_secret",
)  # fmt: skip
"""The fields of ``Options``, whose module is too heavy to import here; a test compares them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """One ini key for each option, ``turris_<option>``."""
    for name in _INI_NAMES:
        parser.addini(f"{_PREFIX}_{name}", f"default of the turris option {name!r}")


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.addinivalue_line(
        "markers",
        "turris(**options): options of the Turris sandbox for one test, class or module; "
        "the nearest wins. See docs/reference/options.md",
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Guard the real Turris from the whole run, if any of its tests stands in for it."""
    if any(name.startswith(_PREFIX) for item in session.items for name in _fixtures(item)):
        from pytest_turris.watch import Watch

        session.config.pluginmanager.register(Watch(), "turris_watch")


def _fixtures(item: pytest.Item) -> tuple[str, ...]:
    return getattr(item, "fixturenames", ())


@pytest.fixture
def _turris_options(request: pytest.FixtureRequest) -> Options:
    from pytest_turris.configuration import options_for

    return options_for(request.node, _INI_NAMES)


@pytest.fixture
def _turris_sandbox(request: pytest.FixtureRequest, _turris_options: Options) -> Iterator[Sandbox]:
    from pytest_turris.core.sandbox import Sandbox
    from pytest_turris.watch import SANDBOX

    sandbox = Sandbox(_turris_options, name=request.node.nodeid)
    request.node.stash[SANDBOX] = sandbox
    yield sandbox
    if complaints := sandbox.complaints():
        pytest.fail("turris: " + "\n\n".join(complaints), pytrace=False)


@pytest.fixture
def _turris_environment(_turris_sandbox: Sandbox) -> Iterator[pytest.MonkeyPatch]:
    options, client = _turris_sandbox.options, _turris_sandbox.client
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(options.env_base_url, _turris_sandbox.base_url)
        patch.setenv(options.env_client_id, client.client_id)
        patch.setenv(options.env_client_secret, client.client_secret)
        patch.setenv(options.env_webhook_secret, _turris_sandbox.webhook_secret)
        yield patch


@pytest.fixture
def turris(_turris_sandbox: Sandbox, _turris_environment: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A fresh sandbox: httpx is answered in process, credentials are in os.environ."""
    from pytest_turris.doors.httpx import httpx_door

    with httpx_door(_turris_sandbox.handle):
        yield _turris_sandbox


@pytest.fixture(scope="session")
def _turris_servers() -> Iterator[ServerPool]:
    from pytest_turris.live_fixture import ServerPool

    pool = ServerPool()
    yield pool
    pool.stop()


@pytest.fixture
def turris_server(
    _turris_servers: ServerPool,
    _turris_sandbox: Sandbox,
    _turris_environment: pytest.MonkeyPatch,
) -> Iterator[Server]:
    """The same sandbox on a real loopback socket, for every other client and for subprocesses."""
    with _turris_servers.serve(_turris_sandbox) as server:
        _turris_environment.setenv(_turris_sandbox.options.env_base_url, server.base_url)
        yield server


@pytest.fixture
def turris_time(_turris_sandbox: Sandbox) -> Iterator[TimeTravel]:
    """Time travel for the sandbox and for the code under test."""
    from pytest_turris.time_travel import TimeTravel

    travel = TimeTravel(_turris_sandbox)
    travel.start()
    try:
        yield travel
    finally:
        travel.stop()


@pytest.fixture
def turris_webhooks(
    _turris_sandbox: Sandbox, _turris_environment: pytest.MonkeyPatch
) -> WebhookFactory:
    """A factory of signed webhooks, valid and hostile."""
    from pytest_turris.configuration import webhook_factory

    return webhook_factory(_turris_sandbox)
