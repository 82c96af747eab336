"""What is kept of a request: usual ones as they are, of long ones the beginning."""

import json
import weakref
from typing import Any

import pytest
from doubles.sandbox_client import Client

from pytest_turris.audit.live import LiveAudit
from pytest_turris.core.journal.bounds import short_lines, short_request
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request

MANY = tuple((f"x-{n}", "1") for n in range(4_500))
LONG: dict[str, dict[str, Any]] = {
    "many header lines": {"headers": MANY},
    "a long header line": {"headers": (("x", "v" * 60_000),)},
    "a long header name": {"headers": (("n" * 60_000, "v"),)},
    "a long path": {"path": "/" + "p" * 60_000},
    "a long query": {"query": "q" * 60_000},
    "a long body": {"body": b"b" * 60_000},
}


def size(request: Request) -> int:
    """About how many bytes a request takes."""
    lines = sum(len(name) + len(value) + 150 for name, value in request.headers)
    return lines + len(request.target) + len(request.body)


@pytest.mark.parametrize("given", LONG.values(), ids=LONG)
def test_long_request_is_kept_short(given: dict[str, Any]) -> None:
    """Whatever is long in it, what is kept takes some KiB."""
    request = Request(**{"method": "GET", "path": "/v1/agents"} | given)
    assert size(request) >= 60_000
    assert size(short_request(request, 2_048)) < 30_000


@pytest.mark.parametrize("given", LONG.values(), ids=LONG)
def test_long_request_is_not_kept_alive(given: dict[str, Any]) -> None:
    """Neither the journal nor the audit of a server holds a long request after its answer."""
    sandbox = Sandbox()
    audit = LiveAudit(sandbox, "a client", lambda: 100)
    usual: dict[str, Any] = {"method": "GET", "path": "/v1/agents", "client_port": 1}
    request = Request(**usual | given)
    gone = weakref.ref(request)
    sandbox.handle(request)
    del request
    assert gone() is None
    assert audit.requests == len(sandbox.journal) == 1


def test_usual_request_is_kept_as_it_is() -> None:
    """A check sees each header line, the whole target and the body of a usual request."""
    lines = (("authorization", "Bearer " + "t" * 4_000), *MANY[:40])
    request = Request(
        method="POST", path="/v1/agents", query="npn=" + "5" * 900, headers=lines, body=b"{}"
    )
    assert short_request(request, 2_048) is request
    assert short_lines(lines) is lines


@pytest.mark.parametrize("part", ["path", "query", "body"])
def test_two_long_requests_stay_different(part: str) -> None:
    """A repeat is told from another request by more than its beginning."""
    long = "p" * 60_000
    texts: list[Any] = [long, f"{long}x"]
    given = [text.encode() if part == "body" else text for text in texts]
    one, other = (
        short_request(Request(**{"method": "GET", "path": "/"} | {part: text}), 2_048)
        for text in given
    )
    assert getattr(one, part) != getattr(other, part)
    assert getattr(one, part)[:2_048] == getattr(other, part)[:2_048]


def test_journal_says_what_it_left_out(client: Client) -> None:
    """As a body does, a head says how much was sent."""
    client.send("GET", "/" + "p" * 3_000, headers=MANY)
    seen = client.sandbox.journal[-1]
    assert seen.request_headers["..."] == "64 of 4,500 header lines are kept (30,390 bytes)"
    assert seen.target.endswith("ppp... (3,001 characters)")
    assert "ppp... (3,001 characters) -> 404" in client.sandbox.journal.last_line


@pytest.mark.parametrize("lines", [65, 4_500])
def test_lines_are_bounded_by_their_number_too(lines: int) -> None:
    """Each takes more memory than its letters."""
    kept = short_lines(MANY[:lines])
    assert len(kept) == 65
    assert kept[-1][1].startswith(f"64 of {lines:,} header lines are kept")


def test_bodies_are_cut_before_they_are_kept(client: Client) -> None:
    """Not only when they are shown: the journal has a thousand of them."""
    body = json.dumps({"email": "e" * 60_000}).encode()
    client.sandbox.handle(
        Request(method="POST", path="/v1/agents", body=body, headers=(("a", "b"),))
    )
    raw = client.sandbox.journal._entries[-1].raw
    assert raw is not None
    assert len(raw._body) < 5_000
    assert len(raw.answered) < 5_000
