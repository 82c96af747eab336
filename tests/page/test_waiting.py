"""A store that does not answer at once, or that fails: the server and its page go on."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from doubles.served_here import served
from doubles.visitor import PAGE, Visitor

from mock_server.page.rendering import PAGES
from mock_server.page.views import ROUTES
from mock_server.store.errors import StoreError, TenantGoneError
from pytest_turris.core.wire.messages import Request


@pytest.fixture
def lines() -> list[str]:
    """What the server logs."""
    return []


@pytest.fixture
def visitor(lines: list[str]) -> Iterator[Visitor]:
    """A visitor of a server whose store a test takes away."""
    with served(log=lines) as server:
        yield Visitor(server).signed_in()


class SilentStore:
    """Answers nothing until ``answers`` is set."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.answers = threading.Event()
        self.gave_up = False

    def wait(self, *_: object) -> None:
        """Answer late, that there is nothing."""
        self.is_asked.set()
        self.gave_up |= not self.answers.wait(30)


class FailingLock:
    """The lock of a sandbox whose store fails."""

    def __init__(self, error: StoreError) -> None:
        self._error = error

    def __enter__(self) -> None:
        raise self._error

    def __exit__(self, *_: object) -> None:
        """Nothing was entered."""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{PAGE}/default/data"),
        ("POST", f"{PAGE}/default/do/sandbox/reset"),
        ("GET", f"{PAGE}/other/overview"),
        ("HEAD", f"{PAGE}/other/overview"),
        ("POST", f"{PAGE}/other/copy/env"),
        ("GET", f"{PAGE}/other/requests/stream"),
        ("GET", "/__sandbox__/tenants/other/journal/stream"),
    ],
)
def test_request_that_waits_for_the_store_holds_up_no_other(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """Neither in its view, nor in the search for its tenant."""
    server, store = visitor.server, SilentStore()

    def step(_what: str) -> AbstractContextManager[object]:
        store.wait()
        return server.sandbox.lock

    monkeypatch.setattr(server.tenants, "is_shared", True)
    monkeypatch.setattr(server.tenants, "_found_in_store", store.wait)
    monkeypatch.setattr(server.tenants.default, "step", step)
    is_page = path.startswith(PAGE)
    headers = visitor.form_headers() if method == "POST" else {}
    headers |= {} if is_page else {"Authorization": f"Bearer {server.control_token}"}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(visitor.send, method, path, **headers)
        assert store.is_asked.wait(60)
        assert visitor.send("GET", "/__sandbox__/health").status == 200
        assert visitor.send("GET", "/__sandbox__/").status == 303
        store.answers.set()
        assert waiting.result(60).status in (200, 404)
    assert not store.gave_up


def test_every_page_says_that_the_store_fails(
    visitor: Visitor, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 503, whichever part of the page reads first; the log has no bug."""
    visitor.sandbox.handle(Request(method="GET", path="/v1/agents"))
    failing = FailingLock(StoreError("the database does not answer"))
    monkeypatch.setattr(visitor.sandbox.undo, "lock", failing)
    for path in (*(name for name, _ in PAGES), "data/agents", "requests/stream?since=0"):
        seen = visitor.get(path)
        assert (seen.status, "the database does not answer" in seen.text) == (503, True), path
    for route in ROUTES:
        path = route.path.replace("{noun}/{verb}", "clock/advance").replace("{noun}", "agents")
        path = path.replace("{number}", "1").replace("{at}", "0")
        seen = visitor.get(path) if route.method == "GET" else visitor.post(path)
        assert seen.status != 500, path
    assert not [line for line in lines if "bug" in line]


def test_page_of_a_tenant_that_another_server_deleted(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not found, and this server forgets it."""
    visitor.do("tenants create", name="other")
    other = visitor.server.tenants.get("other")
    assert other
    monkeypatch.setattr(other.sandbox.undo, "lock", FailingLock(TenantGoneError("other")))
    visitor.tenant = "other"
    assert visitor.get("data").status == 404
    assert visitor.server.tenants.names == ("default",)
