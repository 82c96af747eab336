"""A store that does not answer at once: the server and its page go on."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from doubles.served_here import served
from doubles.visitor import PAGE, Visitor


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
