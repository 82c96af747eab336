"""Bodies and queries become models, or a 400 with a message for each rule."""

import datetime as dt
from typing import Any, Literal

import pytest
from doubles.sandbox_client import Client, refusal
from pydantic import ValidationError

from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.wire.model import RequestModel, Timestamp, TurrisModel
from pytest_turris.core.wire.validation import FieldRules, read_body

AGENTS = "/v1/agents"
JSON = {"content-type": "application/json"}
NOT_JSON = (400, "invalid_input", ["Request body is not valid JSON"])
NO_NPN = (400, "invalid_input", ["Field 'npn' is required"])


def sent(caller: Client, body: bytes, kind: str = "application/json") -> tuple[int, str, list[str]]:
    """The refusal of a body with this content type."""
    headers = {"content-type": kind} if kind else None
    return refusal(caller.send("POST", AGENTS, headers=headers, body=body))


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"npn=1", b"{'npn':'1'}", b'{"npn":"1"}{}', b'{"npn":"1",}', b'{"npn":NaN}',
        b'{"npn":Infinity}', b'{"npn":-Infinity}', b'{"npn":"\xff"}', b'\xef\xbb\xbf{"npn":"1"}',
        b'{"npn":"\\ud800"}', b'{"npn":"a\x00"}', b" ", b'{"npn":01}',
        '{"npn":"1"}'.encode("utf-16"), b"[" * 100_000, b'{"a":' * 100_000,
        b'{"npn":' + b"9" * 5_000 + b"}",
    ],
    ids=range(18),
)  # fmt: skip
def test_what_is_no_json_is_refused(caller: Client, body: bytes) -> None:
    """One message for all invalid JSON: cut, wrongly quoted, not UTF-8, NaN, too deep, too long."""
    assert sent(caller, body) == NOT_JSON


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"5", b"null", b"true"])
def test_a_body_is_an_object(caller: Client, body: bytes) -> None:
    """JSON that is not an object is refused."""
    assert sent(caller, body) == (400, "invalid_input", ["Request body must be a JSON object"])


def test_an_empty_body_is_an_empty_object(caller: Client) -> None:
    """A missing body breaks the rules, not the parser."""
    assert sent(caller, b"") == NO_NPN


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "json"])
def test_a_body_of_another_type_is_not_read(caller: Client, kind: str) -> None:
    """Only JSON is parsed: the operation gets no body, and the journal says why."""
    assert sent(caller, b'{"npn":"1"}', kind) == NO_NPN
    assert caller.sandbox.journal[-1].notes == (
        f"the body was not read: Content-Type is {kind!r}, not JSON",
    )


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_has_parameters_and_no_case(caller: Client, kind: str) -> None:
    """A media type is case-insensitive, and its parameters are ignored (RFC 9110)."""
    headers = {"content-type": kind}
    response = caller.send("POST", AGENTS, headers=headers, body=b'{"npn":"1"}')
    assert response.status == 201


@pytest.mark.parametrize("value", [5, 5.5, True, None, [], ["5"], {}, {"a": "b"}])
def test_types_are_not_converted(caller: Client, value: object) -> None:
    """A number is not converted to text."""
    wrong = (400, "invalid_input", ["npn must be a string"])
    assert refusal(caller.post(AGENTS, {"npn": value})) == wrong


@pytest.mark.parametrize("value", ["true", 1, 0, "", None])
def test_booleans_are_not_converted(caller: Client, value: object) -> None:
    """Texts and numbers are not converted to booleans."""
    assert refusal(caller.invite(useInviteUrl=value)) == (
        400,
        "invalid_input",
        ["useInviteUrl must be a boolean value"],
    )


@pytest.mark.parametrize(
    ("members", "messages"),
    [
        ({"npn": ""}, ["npn should not be empty"]),
        ({"npn": "1", "email": "x"}, ["email must be an email"]),
        ({"npn": "1", "email": "a@b"}, ["email must be an email"]),
        ({"npn": "1", "email": "a b@example.com"}, ["email must be an email"]),
        (
            {"npn": "1", "middleName": "x" * 101},
            ["middleName must be shorter than or equal to 100 characters"],
        ),
        (
            {"npn": "1", "downstreamEntityAssociationId": "x"},
            ["downstreamEntityAssociationId must be a mongodb id"],
        ),
        ({"email": 5}, ["Field 'npn' is required", "email must be a string"]),
    ],
)
def test_the_words_of_the_rules(
    caller: Client, members: dict[str, object], messages: list[str]
) -> None:
    """One message per broken rule, as in class-validator, in the order of the members."""
    assert refusal(caller.post(AGENTS, members)) == (400, "invalid_input", messages)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"category": "bank"},
            (
                "category must be one of the following values: agency, agency network, "
                "wholesale brokerage, third party administrator"
            ),
        ),
        ({"customFields": []}, "customFields must be an object"),
        ({"customFieldValues": "x"}, "customFieldValues must be an object"),
        ({"onboardingSettings": "x"}, "onboardingSettings must be an object"),
        (
            {"onboardingSettings": {"isPreContractReviewStepUsed": "x"}},
            "onboardingSettings.isPreContractReviewStepUsed must be a boolean value",
        ),
        ({"downstreamEntityName": ""}, "downstreamEntityName should not be empty"),
    ],
)
def test_the_words_of_more_rules(caller: Client, members: dict[str, Any], message: str) -> None:
    """Enums list their values, objects and nested members are named."""
    assert refusal(caller.invite(**members)) == (400, "invalid_input", [message])


class Inner(TurrisModel):
    """A nested member with a required member of its own."""

    inner_name: str


class Outer(RequestModel):
    """A body with required members of several types."""

    some_flag: bool
    some_kind: Literal["a", "b"]
    some_names: list[str]
    nested: Inner


def test_missing_members_break_the_rules_of_their_types() -> None:
    """In class-validator's words; inside a nested member, any is taken for a string."""
    request = Request(
        method="POST",
        path="/",
        headers=(("content-type", "application/json"),),
        body=b'{"nested":{}}',
    )
    with pytest.raises(InvalidInput) as caught:
        read_body(Outer, request, [], FieldRules(missing="class_validator"))
    assert caught.value.messages == (
        "someFlag must be a boolean value",
        "someKind must be one of the following values: a, b",
        "someNames must be an array",
        "nested.innerName must be a string",
    )


def test_names_are_those_of_the_wire(caller: Client) -> None:
    """snake_case is unknown, even where the documentation's sample posts it."""
    client = caller.sandbox.client
    document = {"client_id": client.client_id, "client_secret": client.client_secret}
    assert refusal(caller.post("/v1/auth/jwt", document)) == (
        400,
        "invalid_input",
        ["Field 'clientId' is required", "Field 'clientSecret' is required"],
    )
    assert caller.sandbox.journal[-1].notes == (
        "ignored unknown member: 'client_id', 'client_secret'",
        "perhaps misspelt: the member 'client_id' is ignored; did you mean 'clientId'?",
        "perhaps misspelt: the member 'client_secret' is ignored; did you mean 'clientSecret'?",
    )


def test_unknown_members_are_ignored_and_noted(caller: Client) -> None:
    """Unknown members change nothing; the journal names the first five."""
    document = {"npn": "1", "middle_name": "Q", **dict.fromkeys("abcdef", 1)}
    response = caller.post(AGENTS, document)
    assert response.status == 201
    assert "middleName" not in response.json()["data"]["agent"]
    assert caller.sandbox.journal[-1].notes == ("ignored unknown member: 'a', 'b', 'c', 'd', 'e'",)


def test_unknown_parameters_are_ignored_and_noted(caller: Client) -> None:
    """A misspelt filter does not filter, and the journal says so."""
    caller.sandbox.agents.add(npn="1")
    response = caller.get(f"{AGENTS}?nnp=2&page=1")
    assert len(response.json()["data"]) == 1
    assert caller.sandbox.journal[-1].notes == (
        "ignored unknown query parameter: 'nnp', 'page'",
        "perhaps misspelt: the query parameter 'nnp' is ignored; did you mean 'npn'?",
    )


@pytest.mark.parametrize("query", ["npn=1&npn=1", "npn=1&npn=2&npn=3"])
def test_a_repeated_parameter_is_an_array(caller: Client, query: str) -> None:
    """It becomes an array, as in a NestJS handler, and breaks the rule of its type."""
    wrong = (400, "invalid_input", ["npn must be a string"])
    assert refusal(caller.get(f"{AGENTS}?{query}")) == wrong


def test_a_repeated_enum_fails_its_rule(caller: Client) -> None:
    """A parameter with a few values lists them."""
    response = caller.get(f"{AGENTS}?licenseNumber=1&stateCode=CA&stateCode=CA")
    status, _, messages = refusal(response)
    assert status == 400
    assert messages[0].startswith("stateCode must be one of the following values: AL, AK, AZ, ")


def test_too_many_parameters_are_refused(caller: Client) -> None:
    """The two hundred and first is one too many."""
    many = "&".join(f"p{n}=1" for n in range(201))
    assert refusal(caller.get(f"{AGENTS}?{many}")) == (
        400,
        "invalid_input",
        ["Too many query parameters"],
    )


@pytest.mark.parametrize("query", ["npn=%C3%A9", "npn=é", "npn=%c3%a9&"])
def test_parameters_are_percent_decoded(caller: Client, query: str) -> None:
    """UTF-8, encoded or not, is the same text."""
    caller.sandbox.agents.add(npn="é")
    assert len(caller.get(f"{AGENTS}?{query}").json()["data"]) == 1


class Dated(TurrisModel):
    """A model with a point in time."""

    at: Timestamp


def test_a_point_in_time_has_a_time_zone() -> None:
    """It is kept in UTC, to the millisecond."""
    zone = dt.timezone(dt.timedelta(hours=2))
    assert Dated(at=dt.datetime(2025, 3, 17, 12, 0, 0, 1_999, tzinfo=zone)).wire() == {
        "at": "2025-03-17T10:00:00.001Z"
    }
    with pytest.raises(ValidationError, match="must carry a time zone"):
        Dated(at=dt.datetime(2025, 3, 17, 12, 0))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_point_in_time_is_one_in_utc(text: str) -> None:
    """A moment that only its own zone's calendar has is refused."""
    with pytest.raises(ValidationError, match="must be a moment from the year 1 to 9999 in UTC"):
        Dated(at=dt.datetime.fromisoformat(text))
