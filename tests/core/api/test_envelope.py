"""The envelopes of successes and errors, byte for byte."""

import pytest
from doubles.sandbox_client import INVITE, Client

from pytest_turris.core.options import Options, choices
from pytest_turris.core.sandbox import Sandbox

STAMP = '"timestamp":"2025-03-17T10:15:45.000Z"'


def caller_in(envelope: str, optional_fields: str = "omitted") -> Client:
    """A client with a token, for a sandbox with that envelope."""
    options = Options.from_layers({"envelope": envelope, "optional_fields": optional_fields})
    sandbox = Sandbox(options)
    client = Client(sandbox)
    client.bearer = sandbox.tokens.issue(sandbox.client).text
    return client


def with_id(template: str, client: Client) -> bytes:
    """The template with the request id of the newest exchange."""
    return template.replace("ID", client.sandbox.journal[-1].request_id).encode()


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        ("data", '{"data":[],"requestId":"ID",' + STAMP + "}"),
        ("data_with_status", '{"requestId":"ID","statusCode":200,' + STAMP + ',"data":[]}'),
        ("status_without_request_id", '{"statusCode":200,"data":[],' + STAMP + "}"),
        ("top_level", '{"data":[],"requestId":"ID",' + STAMP + "}"),
    ],
)
def test_a_list_in_each_envelope(envelope: str, expected: str) -> None:
    """The four documented success envelopes, byte for byte; a list stays under ``data``."""
    client = caller_in(envelope)
    assert client.get("/v1/agents").body == with_id(expected, client)


@pytest.mark.parametrize(
    ("envelope", "members"),
    [
        ("data", ["data", "requestId", "timestamp"]),
        ("data_with_status", ["requestId", "statusCode", "timestamp", "data"]),
        ("status_without_request_id", ["statusCode", "data", "timestamp"]),
        ("top_level", ["requestId", "timestamp", "accessToken", "expiresIn", "tokenType"]),
    ],
)
def test_an_object_in_each_envelope(envelope: str, members: list[str]) -> None:
    """An object has the same envelopes; with ``top_level`` its members are in the envelope."""
    assert list(caller_in(envelope).ask_for_token().json()) == members


@pytest.mark.parametrize("envelope", ["data_with_status", "status_without_request_id"])
def test_the_status_in_the_envelope_is_that_of_the_response(envelope: str) -> None:
    """A 201 has 201 inside too."""
    response = caller_in(envelope).ask_for_token()
    assert response.status == response.json()["statusCode"] == 201


@pytest.mark.parametrize("envelope", choices("envelope"))
def test_there_is_one_error_envelope(envelope: str) -> None:
    """One envelope is documented for errors: the option does not change them, byte for byte."""
    client = caller_in(envelope)
    response = client.get("/v1/agents/000000000000000000000000")
    assert response.status == 404
    expected = '{"statusCode":404,"requestId":"ID","errorType":"not_found",'
    expected += '"errorMessage":["Agent not found"],' + STAMP + "}"
    assert response.body == with_id(expected, client)


@pytest.mark.parametrize("envelope", choices("envelope"))
def test_two_answers_have_no_envelope(envelope: str) -> None:
    """The guide shows the token test without one, and RFC 7517 defines the JWK Set."""
    client = caller_in(envelope)
    assert list(client.get("/v1/auth/test-oauth").json()) == ["message"]
    assert list(client.get("/.well-known/jwks.json").json()) == ["keys"]


def test_request_ids_differ() -> None:
    """Each answer has a request id of its own, a refusal too."""
    client = caller_in("data")
    paths = ("/v1/agents", "/v1/agents", "/nowhere")
    assert len({client.get(path).json()["requestId"] for path in paths}) == 3


def test_the_journal_knows_the_request_id() -> None:
    """The id that a user quotes to support is in the journal."""
    client = caller_in("data")
    request_id = client.get("/v1/agents").json()["requestId"]
    assert client.sandbox.journal[-1].request_id == request_id


def test_timestamps_are_in_milliseconds() -> None:
    """ISO 8601 in UTC, cut to three digits, not rounded."""
    client = caller_in("data")
    client.sandbox.clock.advance(microseconds=999_999)
    assert client.get("/v1/agents").json()["timestamp"] == "2025-03-17T10:15:45.999Z"


def test_optional_members_are_omitted() -> None:
    """A member without a value is not in the answer."""
    client = caller_in("data")
    client.sandbox.agents.add(npn="12345678")
    (entry,) = client.get("/v1/agents").json()["data"]
    assert "email" not in entry
    assert "middleName" not in entry["agent"]


def test_optional_members_may_be_null() -> None:
    """Option ``optional_fields='null'``; but not one that no sample has, such as middleName."""
    client = caller_in("data", "null")
    client.sandbox.agents.add(npn="12345678")
    (entry,) = client.get("/v1/agents").json()["data"]
    assert entry["email"] is None
    assert "middleName" not in entry["agent"]
    assert "downstreamEntityAssociationId" not in entry
    created = client.post("/v1/agents", {"npn": "2"}).json()["data"]
    assert created["externalId"] is None


def test_answers_are_compact_json_in_utf8() -> None:
    """As a Node server writes it: no spaces, no escapes for letters, UTF-8 in the header."""
    client = caller_in("data")
    client.sandbox.agents.add(npn="1", first_name="Zoë", last_name="Nuñez")
    response = client.get("/v1/agents")
    assert response.headers[0] == ("content-type", "application/json; charset=utf-8")
    assert '"firstName":"Zoë","lastName":"Nuñez"'.encode() in response.body


def test_an_answer_to_head_has_no_content() -> None:
    """RFC 9110, 9.3.2: whatever the status, HEAD gets no body."""
    client = caller_in("data")
    for path, status in (("/v1/agents", 200), ("/v1/nothing", 404)):
        response = client.send("HEAD", path)
        assert (response.status, response.body) == (status, b"")


def test_an_invitation_at_the_top_level() -> None:
    """With ``top_level`` the URL of an invitation is next to the request id."""
    client = caller_in("top_level")
    assert list(client.invite().json()) == ["requestId", "timestamp", "url"]
    assert client.sandbox.journal[-1].path == INVITE
