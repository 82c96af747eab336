"""How the control API refuses what does not fit: each part of a request, and a store that fails."""

import pytest
from doubles.controlled import Controlled, Refused

from mock_server.control.wire.errors import without
from mock_server.store.errors import StoreError
from pytest_turris.core.wire.messages import Request, Response, encode


@pytest.fixture
def controlled() -> Controlled:
    """A sandbox with the control API."""
    return Controlled()


@pytest.mark.parametrize(
    ("target", "body", "status", "message"),
    [
        ("GET /clock", b"{}", 400, "GET takes no body; use the query"),
        ("POST /agents?npn=1", b"{}", 400, "POST takes no query; use a JSON body"),
        ("POST /agents", b'{"npn":"' + b"1" * 2**20 + b'"}', 413, "the body is longer than"),
        ("GET /agents/%ff", b"", 400, "the path is not percent-encoded UTF-8"),
        ("GET /agents?isDeleted=true&isDeleted=false", b"", 400, "expected one value"),
    ],
)
def test_each_part_of_a_request_is_checked(
    controlled: Controlled, target: str, body: bytes, status: int, message: str
) -> None:
    """The refusal says what to do instead."""
    method, _, address = target.partition(" ")
    path, _, query = address.partition("?")
    answer = controlled.send(method, path, body, query=query)
    assert answer.status == status
    assert message in answer.json()["errorMessage"][0]


@pytest.mark.parametrize("name", ["Transfer-Encoding", "Content-Length", "Connection"])
def test_headers_of_a_connection_are_refused(controlled: Controlled, name: str) -> None:
    """They would break the answer that a fault gives later."""
    body = encode({"operation": "*", "status": 503, "headers": {name: "7"}})
    answer = controlled.send("POST", "/faults", body)
    assert answer.status == 400
    assert f"the server writes the header {name!r} itself" in answer.json()["errorMessage"][0]
    assert list(controlled.sandbox.faults) == []


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/agents/a", "id=b", b""),
        ("GET", "/agents/a", "id=a", b""),
        ("PATCH", "/agents/a", "", b'{"id":"b"}'),
    ],
)
def test_what_the_path_has_is_given_once(
    controlled: Controlled, method: str, path: str, query: str, body: bytes
) -> None:
    """A second value is refused, by its name, even if it is the same."""
    answer = controlled.send(method, path, body, query=query)
    assert answer.status == 400
    problem = answer.json()["problems"][0]
    assert (problem["field"], problem["expected"]) == ("id", "a value in the path only")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("agnts", "no Agent with id 'agnts'"),
        ("", "no Agent with id ''"),
        ("<b>", "no Agent with id (a text of 3 characters)"),
        ({"ids": ["<b>", 1, None]}, "no Agent with id (a text of 3 characters)"),
    ],
)
def test_words_of_other_parts_show_plain_names_only(given: object, words: str) -> None:
    """A caller's text may be anything, and is often part of an error of the core."""
    id_ = given if isinstance(given, str) else "<b>"
    assert without(f"no Agent with id {id_!r}", given) == words


def test_another_method_is_named(controlled: Controlled) -> None:
    """With those that there are at the path, also in ``Allow``."""
    answer = controlled.send("PUT", "/clock")
    assert answer.status == 405
    allowed = dict(answer.headers)["allow"]
    assert f"this path has the methods {allowed}" in answer.json()["errorMessage"][0]


def test_a_value_in_the_path_is_given_once(controlled: Controlled) -> None:
    """The body cannot say it again."""
    controlled.sandbox.seed("small_agency")
    agent = next(iter(controlled.sandbox.agents))
    with pytest.raises(Refused) as refused:
        controlled.call("PATCH", f"/agents/{agent.id}", id=agent.id)
    assert refused.value.fields == ["id"]


def test_a_store_that_fails_is_named(controlled: Controlled) -> None:
    """With 503, and the outcome is unknown, as the public API says."""

    def work() -> Response:
        raise StoreError("the disk is full")

    answer = controlled.door.caught(work)
    (words,) = answer.json()["errorMessage"]
    assert answer.status == 503
    assert words.startswith("the disk is full; the outcome of this request is unknown")


def test_an_exchange_that_is_no_longer_kept() -> None:
    """It is not confused with one that is."""
    controlled = Controlled(journal_limit=1)
    for _ in range(2):
        controlled.sandbox.handle(Request(method="GET", path="/v1/agents"))
    assert controlled.get("/journal/2")["number"] == 2
    with pytest.raises(Refused):
        controlled.get("/journal/1")
