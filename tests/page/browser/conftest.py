"""One server and one Chromium for the tests of a module."""

from collections.abc import Iterator

import pytest
from doubles.browsing import Browsing, browsing, call, require
from doubles.served_here import served

from mock_server.serving.server import StandaloneSandbox


@pytest.fixture(scope="module")
def server() -> Iterator[StandaloneSandbox]:
    """A server with some data and some requests."""
    require()
    from playwright.sync_api import expect

    expect.set_options(timeout=60_000)
    with served() as found:
        found.sandbox.seed("small_agency")
        yield found


@pytest.fixture(scope="module")
def person(server: StandaloneSandbox) -> Iterator[Browsing]:
    """A person who is signed in."""
    with browsing(server) as found:
        yield found


@pytest.fixture(autouse=True)
def _fresh(server: StandaloneSandbox, person: Browsing) -> Iterator[None]:
    """A sandbox as it was, with one request; and an empty console at the end."""
    server.tenants.default.reset()
    server.tenants.default.audit.clear()
    server.sandbox.seed("small_agency")
    call(server, "/v1/agents")
    person.view(1280, "light")
    person.errors.clear()
    yield
    assert not person.errors
    assert person.hosts == {server.base_url}
