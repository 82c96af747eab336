"""The exchange without a sandbox, with responses that no correct server sends."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from agency_directory import ApiError, Settings, UnauthorizedError, UnexpectedAnswerError, calls
from agency_directory.exchange import Answer, Call, Locked, attempts
from agency_directory.token import Token, TokenCache

AGENT = {"agent": {"_id": "507f1f77bcf86cd799439011", "npn": "12345678"}}
TOKEN = "t0ken"
NOW = datetime(2026, 6, 1, tzinfo=UTC)

T = TypeVar("T")


def answered(call: Call[T], status: int, body: Mapping[str, Any]) -> T:
    """Return the result of a call that gets this response."""
    flow = attempts(call, TOKEN)
    next(flow)
    with pytest.raises(StopIteration) as done:
        flow.send(Answer(status, body))
    result: T = done.value.value
    return result


@pytest.mark.parametrize(
    "body",
    [
        {"data": [AGENT]},
        {"data": [AGENT], "requestId": "dev-1", "timestamp": "2025-11-12T20:49:03.293Z"},
        {"data": [AGENT], "statusCode": 200, "timestamp": "2025-01-30T12:34:56.789Z"},
        {"data": [AGENT | {"new": 1}], "new": 2},
    ],
)
def test_envelopes(body: Mapping[str, Any]) -> None:
    """The documented envelopes have only ``data`` in common."""
    assert [agent.npn for agent in answered(calls.agents(), 200, body)] == ["12345678"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": "agents"},
        {"data": [None]},
        {"data": [{"agent": {"_id": 1, "npn": "12345678"}}]},
        {"agents": []},
    ],
)
def test_unreadable(body: Mapping[str, Any]) -> None:
    """A success without the requested data raises UnexpectedAnswerError."""
    with pytest.raises(UnexpectedAnswerError, match="GET /v1/agents: cannot read the answer"):
        answered(calls.agents(), 200, body)


def test_another_record() -> None:
    """A response that contains another record is refused."""
    call = calls.agent("507f1f77bcf86cd799439012")

    with pytest.raises(UnexpectedAnswerError):
        answered(call, 200, {"data": AGENT})


def test_redirect() -> None:
    """A redirect is an error: following it would send the token to another server."""
    with pytest.raises(ApiError, match="302"):
        answered(calls.agents(), 302, {})


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["Bearer t0ken is bad"], ("Bearer *** is bad",)),
        ("one text", ("one text",)),
        (["two\r\nlines", "\x1b[31mred"], ("two  lines", " [31mred")),
        (["x" * 1_000_000], ("x" * 300,)),
        ([{"npn": None}], ("{'npn': None}",)),
        (None, ()),
    ],
)
def test_hostile_error(words: object, shown: tuple[str, ...]) -> None:
    """An error message fits on one line of a log and does not contain the token."""
    body = {"errorType": "forbidden", "errorMessage": words}

    with pytest.raises(ApiError) as caught:
        answered(calls.agents(), 403, body)

    assert caught.value.messages == shown
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"accessToken": None},
        {"accessToken": ""},
        {"accessToken": 7},
        {"accessToken": "two\nlines"},
        {"accessToken": "caf\xe9"},
        {"accessToken": "x" * 9_000},
        {"accessToken": TOKEN, "tokenType": "mac"},
        {"access_token": TOKEN},
    ],
)
def test_no_token(data: Mapping[str, Any]) -> None:
    """A token that cannot be sent as a bearer token is refused and not shown."""
    call = Call("POST", "/v1/auth/jwt", read=lambda data: Token.from_wire(data, NOW))

    with pytest.raises(UnexpectedAnswerError) as caught:
        answered(call, 201, {"data": data})

    assert caught.value.__context__ is None
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("expires_in", "due_after"),
    [
        (3600, timedelta(minutes=55)),
        (600, timedelta(minutes=5)),
        (120, timedelta(minutes=1)),
        (None, timedelta(minutes=55)),
        (0, timedelta(minutes=55)),
        (-1, timedelta(minutes=55)),
        ("120", timedelta(minutes=55)),
        (float("nan"), timedelta(minutes=55)),
        (1e18, timedelta(minutes=55)),
    ],
)
def test_lifetime(expires_in: object, due_after: timedelta) -> None:
    """A lifetime shorter than documented is used; an absurd one is ignored."""
    data = {"accessToken": TOKEN, "tokenType": "bearer", "expiresIn": expires_in}

    token = Token.from_wire(data, issued_at=NOW)

    assert not token.is_due(NOW + due_after)
    assert token.is_due(NOW + due_after + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("age", "valid"),
    [
        (timedelta(seconds=-1), False),
        (timedelta(), True),
        (timedelta(minutes=59, seconds=59), True),
        (timedelta(hours=1), False),
    ],
)
def test_age(age: timedelta, valid: bool) -> None:  # noqa: FBT001 - a parameter
    """A token is valid for an hour, but not if the clock was set back before its issue."""
    assert Token(TOKEN, NOW).is_valid(NOW + age) is valid


def test_secret_in_an_error() -> None:
    """Turris' message about a wrong secret is shown without the secret."""
    settings = Settings("https://turris.example", "m2m-client", "s3cret", "s3cret")
    refusal = Answer(401, {"errorMessage": ["s3cret is wrong"]})
    locked = next(TokenCache(settings).access_token())
    assert isinstance(locked, Locked)
    next(locked.flow)

    with pytest.raises(UnauthorizedError) as caught:
        locked.flow.send(refusal)

    assert caught.value.messages == ("*** is wrong",)
