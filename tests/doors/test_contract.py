"""What holds through every door: the same answers, the same journal, the same refusals."""

import dataclasses
import json
from typing import Any

import pytest
from doubles.doors.clients import Answer, Fields
from doubles.doors.door import Door
from doubles.doors.opening import REPEATING
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_turris.core.faults.fault import FailureKind
from pytest_turris.core.journal.exchange import Exchange

JSON = ("content-type", "application/json")
INVITATION = {
    "useInviteUrl": True,
    "isNpnRequired": False,
    "downstreamEntityName": "ABC Insurance Agency",
    "firstName": "Dana",
    "lastName": "Lee",
    "email": "dana.lee@abc.example",
    "category": "agency",
}


def both(
    door: Door, method: str, target: str, headers: Fields = (), document: object = None
) -> Answer:
    """Send a request through the door and past it; the answers are the same."""
    body = b"" if document is None else json.dumps(document).encode()
    fields = [JSON, *headers] if body else list(headers)
    through = door.client.send(method, target, fields, body)
    direct = door.ask_twin(method, target, fields, body)
    transport = {"content-length", "connection", "x-content-type-options"}
    assert through.status == direct.status
    assert sorted(h for h in through.headers if h[0] not in transport) == sorted(direct.headers)
    assert through.body == direct.body
    return through


def credentials(door: Door) -> dict[str, str]:
    """The body that the token endpoint expects."""
    client = door.sandbox.client
    return {"clientId": client.client_id, "clientSecret": client.client_secret}


def logged_in(door: Door) -> list[tuple[str, str]]:
    """The headers of a client that has a token."""
    token = both(door, "POST", "/v1/auth/jwt", document=credentials(door)).json()["data"]
    return [("authorization", f"Bearer {token['accessToken']}")]


def visible(exchange: Exchange) -> Exchange:
    """An exchange without what differs between clients: their own headers."""
    return dataclasses.replace(exchange, request_headers={})


def assert_refused(answer: Answer) -> None:
    """A refusal has Turris' form and a client's status."""
    assert 400 <= answer.status < 500
    document = answer.json()
    assert document["statusCode"] == answer.status
    assert document["errorMessage"]
    assert all(isinstance(message, str) for message in document["errorMessage"])
    assert "Traceback" not in answer.body.decode()


def state(door: Door) -> dict[str, Any]:
    """The state that a refused request must not change."""
    door.sandbox.settle()
    snapshot = door.sandbox.snapshot()
    return {name: snapshot[name] for name in ("entity", "credentials", "tokens", "idempotency")}


def test_every_operation_answers_the_same(door: Door) -> None:
    """Token, list, create, get and invite are the same to the byte, headers included."""
    auth = logged_in(door)
    assert both(door, "GET", "/v1/agents", auth).json()["data"] == []
    created = both(door, "POST", "/v1/agents", auth, {"npn": "12345678"})
    assert created.status == 201
    agent_id = created.json()["data"]["agent"]["_id"]
    assert both(door, "GET", f"/v1/agents/{agent_id}", auth).status == 200
    assert both(door, "POST", "/v1/downstream-entity-associations/invite", auth, INVITATION).json()[
        "data"
    ]["url"]
    assert len(both(door, "GET", "/v1/downstream-entity-associations", auth).json()["data"]) == 1
    assert both(door, "GET", "/.well-known/jwks.json").status == 200


def test_journal_is_the_same(door: Door) -> None:
    """The journal of a door says what the journal of the sandbox itself says."""
    auth = logged_in(door)
    both(door, "POST", "/v1/agents", auth, {"npn": "12345678"})
    both(door, "GET", "/v1/agents?npn=12345678&npn=x", auth)
    both(door, "DELETE", "/v1/agents", auth)
    both(door, "GET", "/v1/agents")
    theirs, ours = list(door.sandbox.journal), list(door.twin.journal)
    assert [visible(exchange) for exchange in theirs] == [visible(exchange) for exchange in ours]
    assert [exchange.status for exchange in theirs] == [201, 201, 400, 404, 401]


@pytest.mark.parametrize(
    ("method", "target", "headers", "document", "status"),
    [
        ("GET", "/v1/agents", [], None, 401),
        ("GET", "/v1/agents", [("authorization", "Bearer nonsense")], None, 401),
        ("GET", "/v1/agents", [("authorization", "Basic Zm9vOmJhcg==")], None, 401),
        ("GET", "/v1/nothing", [], None, 404),
        ("PUT", "/v1/agents", [], None, 404),
        ("POST", "/v1/auth/jwt", [], {"clientId": "a", "clientSecret": "b"}, 401),
        ("POST", "/v1/auth/jwt", [], {"clientId": 1}, 400),
        ("POST", "/v1/auth/jwt", [], [1, 2], 400),
    ],
)
def test_refusals_are_the_same(  # noqa: PLR0917 - the columns of a table
    door: Door, method: str, target: str, headers: Fields, document: object, status: int
) -> None:
    """Every refusal reads the same through every door."""
    answer = both(door, method, target, headers, document)
    assert answer.status == status
    assert_refused(answer)


def test_rate_headers_arrive(door: Door) -> None:
    """The limit of token requests shows in the headers, and the eleventh is a 429."""
    for left in range(9, -1, -1):
        answer = both(door, "POST", "/v1/auth/jwt", document=credentials(door))
        assert answer.header("x-ratelimit-remaining") == str(left)
    refused = both(door, "POST", "/v1/auth/jwt", document=credentials(door))
    assert refused.status == 429
    assert refused.header("x-ratelimit-limit") == "10"


@pytest.mark.parametrize("door", REPEATING, indirect=True)
def test_repeated_headers_reach_the_sandbox(door: Door) -> None:
    """A credential that is sent twice is refused: no door merges the two."""
    auth = logged_in(door)
    answer = both(door, "GET", "/v1/agents", [*auth, *auth])
    assert answer.status == 401
    assert "more than once" in door.sandbox.journal[-1].reason


@pytest.mark.parametrize(
    "query", ["npn=a%20b", "npn=a+b", "npn=%C3%A9&x=1&x=2", "npn=", "npn", "npn=a%2Fb%26c"]
)
def test_query_string_is_untouched(door: Door, query: str) -> None:
    """The sandbox sees the query as it was sent, still percent-encoded."""
    both(door, "GET", f"/v1/agents?{query}", [door.bearer])
    assert door.sandbox.journal[-1].target == f"/v1/agents?{query}"


def test_encoded_slash_stays_in_its_segment(door: Door) -> None:
    """A percent-encoded slash is part of an id, not a further path segment."""
    both(door, "GET", "/v1/agents/a%2Fb", [door.bearer])
    assert door.sandbox.journal[-1].path == "/v1/agents/a%2Fb"
    assert door.sandbox.journal[-1].operation == "get_agent"


def test_empty_body_is_an_empty_object(door: Door) -> None:
    """A POST without a body is refused for the members that it lacks."""
    answer = door.client.send("POST", "/v1/agents", [door.bearer, JSON])
    assert answer.status == 400
    assert answer.json()["errorMessage"] == ["Field 'npn' is required"]


def test_bodies_are_streamed_both_ways(door: Door) -> None:
    """A request sent in chunks is one body, and the answer can be read in pieces."""
    chunks = [b'{"npn":', b' "123', b'45678"}']
    answer = door.client.send("POST", "/v1/agents", [door.bearer, JSON], chunks)
    assert answer.status == 201
    assert answer.json()["data"]["agent"]["npn"] == "12345678"


def test_body_of_the_limit_is_read(door: Door) -> None:
    """A body of exactly 1 MiB is accepted."""
    document = json.dumps({"npn": "12345678", "padding": ""}).encode()
    body = document[:-2] + b"x" * (1_048_576 - len(document)) + document[-2:]
    assert len(body) == 1_048_576
    assert door.client.send("POST", "/v1/agents", [door.bearer, JSON], body).status == 201


@pytest.mark.parametrize("size", [1_048_577, 3_000_000])
def test_longer_body_is_refused(door: Door, size: int) -> None:
    """A longer body is a 413 in Turris' form, not a broken connection."""
    answer = door.client.send("POST", "/v1/agents", [door.bearer, JSON], b"x" * size)
    assert answer.status == 413
    assert_refused(answer)


def test_head_has_no_body(door: Door) -> None:
    """A HEAD request is answered as GET, without content."""
    answer = door.client.send("HEAD", "/v1/agents", [door.bearer])
    assert (answer.status, answer.body) == (200, b"")
    assert door.client.send("HEAD", "/v1/agents").status == 401


@pytest.mark.parametrize("kind", ["connect", "reset"])
def test_scripted_failure_is_a_connection_error(door: Door, kind: FailureKind) -> None:
    """A scripted failure becomes the client's own connection error, and the next call works."""
    door.sandbox.faults.add("list_agents", error=kind)
    auth = door.bearer
    with pytest.raises(door.client.broken):
        door.client.send("GET", "/v1/agents", [auth])
    assert door.sandbox.journal[-1].status == 0
    assert door.client.send("GET", "/v1/agents", [auth]).status == 200


def test_scripted_status_is_an_answer(door: Door) -> None:
    """A scripted status arrives with its headers, in Turris' form."""
    door.sandbox.faults.add("list_agents", status=503, headers={"Retry-After": "7"})
    answer = door.client.send("GET", "/v1/agents", [door.bearer])
    assert (answer.status, answer.header("retry-after")) == (503, "7")
    assert answer.json()["errorType"] == "internal_error"


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)
without_npn = values.filter(lambda value: not isinstance(value, dict) or "npn" not in value)
wrong_npn = st.fixed_dictionaries({"npn": values.filter(lambda value: not isinstance(value, str))})
bodies = st.one_of(
    st.binary(max_size=64),
    st.binary(max_size=64).map(lambda noise: b'{"npn": "' + noise + b"\xff"),
    st.just(b"[" * 5_000),
    st.just(b'{"npn": NaN}'),
    st.just('{"npn": "é"}'.encode("utf-16")),
    (without_npn | wrong_npn).map(lambda value: json.dumps(value).encode()),
)
media_types = st.sampled_from(
    ["application/json", "application/json; charset=utf-16", "text/plain"]
)
operations = st.sampled_from(
    ["/v1/agents", "/v1/auth/jwt", "/v1/downstream-entity-associations/invite"]
)


@settings(
    max_examples=20,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(target=operations, media_type=media_types, body=bodies)
def test_garbage_is_refused_in_turris_words(
    door: Door, target: str, media_type: str, body: bytes
) -> None:
    """Any body that the API does not accept is a Turris-shaped 4xx, and nothing changes."""
    headers = [door.bearer, ("content-type", media_type)]
    before = state(door)
    assert_refused(door.client.send("POST", target, headers, body))
    assert state(door) == before


@settings(
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    segments=st.lists(st.binary(max_size=8), max_size=5),
)
def test_any_path_is_refused_in_turris_words(
    door: Door, method: str, segments: list[bytes]
) -> None:
    """Any path that the API does not know is a Turris-shaped 4xx, and nothing changes."""
    target = "/v2" + "".join("/" + "".join(f"%{byte:02X}" for byte in part) for part in segments)
    before = state(door)
    assert_refused(door.client.send(method, target))
    assert state(door) == before
