"""The rows of the journal, and what would fail a test."""

import json
from collections.abc import Iterator

import pytest
from doubles.controlled import Controlled, Refused

from mock_server.control.description import describe_all
from mock_server.control.wire.api import prepared
from pytest_turris.core.wire.messages import Request


@pytest.fixture
def controlled() -> Controlled:
    """A server with a sandbox to which three requests were sent."""
    controlled = Controlled()
    for path in ("/v1/agents", "/.well-known/jwks.json", "/v1/nonsense"):
        request(controlled, path)
    return controlled


def request(controlled: Controlled, path: str) -> None:
    """Send a request to the API of the sandbox."""
    controlled.sandbox.handle(Request(method="GET", path=path, host="127.0.0.1", scheme="http"))


def numbers(controlled: Controlled, query: str) -> list[int]:
    """The numbers of the exchanges that the filters leave."""
    return [one["number"] for one in controlled.get("/journal", query)["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3]),
        ("refused=true", [1, 3]),
        ("refused=false", [2]),
        ("status=401", [1]),
        ("operation=list_agents", [1]),
        ("operation=GET%20/v1/agents", [1]),
        ("operation=*", [1, 2, 3]),
        ("text=nonsense", [3]),
        ("method=POST", []),
        ("since=1&limit=1", [2]),
        ("newestFirst=true", [3, 2, 1]),
    ],
)
def test_exchanges_are_filtered(controlled: Controlled, query: str, found: list[int]) -> None:
    """By any member that a reader looks for."""
    assert numbers(controlled, query) == found


def test_a_filter_that_is_false_filters() -> None:
    """No switch of a list takes false for 'not given', except those that do not filter."""
    lists = [row for row in describe_all() if row["name"].endswith((" list", " follow"))]
    switches = [one for row in lists for one in row["parameters"] if one["type"] == "switch"]
    assert {one["name"] for one in switches if one["default"] is False} == {"newestFirst"}
    assert {"refused", "isArchived"} <= {one["name"] for one in switches}


def test_an_unknown_operation_is_no_empty_list(controlled: Controlled) -> None:
    """A wrong name would look as if no request had come."""
    with pytest.raises(Refused, match="expected an operation; did you mean 'list_agents'"):
        controlled.get("/journal", "operation=list_agent")


def test_an_exchange_has_its_reason(controlled: Controlled) -> None:
    """The journal says why a request was refused, over HTTP too."""
    assert controlled.get("/journal/1")["reason"].startswith("no Authorization header")
    with pytest.raises(Refused, match="404"):
        controlled.get("/journal/4")


def test_it_is_cleared(controlled: Controlled) -> None:
    """The numbering goes on."""
    assert json.loads(controlled.send("DELETE", "/journal").body) == {"count": 3}
    request(controlled, "/v1/agents")
    assert numbers(controlled, "") == [4]


def test_what_would_fail_a_test_is_said(controlled: Controlled) -> None:
    """A request that Turris would not understand is a failure, unless it is expected."""
    (failure,) = controlled.get("/journal/failures")["failures"]
    assert "/v1/nonsense" in failure
    assert controlled.call("POST", "/journal/expect", since=3)["failures"] == [failure]
    assert controlled.call("POST", "/journal/expect", since=2)["failures"] == []


def follow(controlled: Controlled, query: str = "") -> Iterator[list[bytes]]:
    """The lines of a stream, look by look."""
    path = "/__sandbox__/journal/stream"
    request = Request(method="GET", path=path, query=query)
    return prepared(request, controlled.tenants).lines()


def test_it_is_followed(controlled: Controlled) -> None:
    """A stream begins now, or after any exchange, and goes on after a reset."""
    looks, earlier = follow(controlled), follow(controlled, "since=1&refused=true")
    assert next(looks) == []
    assert [json.loads(line)["number"] for line in next(earlier)] == [3]
    request(controlled, "/v1/agents")
    assert [json.loads(line)["number"] for line in next(looks)] == [4]
    controlled.call("POST", "/sandbox/reset")
    assert next(looks) == []
    request(controlled, "/v1/agents")
    assert [json.loads(line)["number"] for line in next(looks)] == [1]
