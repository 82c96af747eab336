"""Errors: their types, their reasons, and the limit of the body."""

import pytest
from doubles.sandbox_client import INVITE, Client, refusal

from pytest_turris.core.wire.errors import (
    ConnectionFailure,
    InvalidInput,
    ScriptedError,
    TurrisError,
)


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, "invalid_input"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "not_found"),
        (409, "invalid_input"),
        (410, "not_found"),
        (413, "invalid_input"),
        (422, "invalid_input"),
        (429, "rate_limit_exceeded"),
        (500, "internal_error"),
        (503, "internal_error"),
        (599, "internal_error"),
    ],
)
def test_a_scripted_status_has_its_documented_type(status: int, error_type: str) -> None:
    """``errorType`` follows the status, as in the error-handling guide."""
    assert ScriptedError(status, "words").type == error_type


@pytest.mark.parametrize(
    "kind", [one for one in TurrisError.__subclasses__() if one is not ScriptedError]
)
def test_a_scripted_status_has_the_type_of_the_sandboxs_own_refusal(
    kind: type[TurrisError],
) -> None:
    """What a client does about a status is tried with the same ``errorType`` in both ways."""
    assert ScriptedError(kind.status, "words").type == kind("words").type


def test_a_reason_is_the_messages_unless_given() -> None:
    """Where the client's message says everything, the reason repeats it."""
    assert InvalidInput("one", "two").reason == "one; two"
    assert InvalidInput("one", reason="why").reason == "why"


def test_a_broken_connection_says_that_it_was_scripted() -> None:
    """It says that it is scripted, so that it is not taken for a real network failure."""
    assert str(ConnectionFailure("reset")) == "scripted fault: reset"
    assert ConnectionFailure("connect").kind == "connect"


def test_a_body_over_the_limit_is_a_413(caller: Client) -> None:
    """One byte more than 1 MiB is refused before anything else is read."""
    body = b'{"npn":"1","x":"' + b"x" * 1_048_576 + b'"}'
    headers = {"content-type": "application/json"}
    response = caller.send("POST", "/v1/agents", headers=headers, body=body[:1_048_577])
    assert refusal(response) == (413, "invalid_input", ["Request body is too large"])
    assert caller.sandbox.journal[-1].reason == (
        "the body has 1,048,577 bytes; option max_body_bytes: 1,048,576"
    )


def test_a_body_at_the_limit_is_read(caller: Client) -> None:
    """Exactly 1 MiB is accepted."""
    body = b'{"npn":"1","x":"' + b"x" * 1_048_558 + b'"}'
    assert len(body) == 1_048_576
    headers = {"content-type": "application/json"}
    assert caller.send("POST", "/v1/agents", headers=headers, body=body).status == 201


def test_every_failed_rule_has_its_message(caller: Client) -> None:
    """A 400 lists all broken rules, in the order of the documented members."""
    status, error_type, messages = refusal(caller.post(INVITE, {}))
    assert (status, error_type) == (400, "invalid_input")
    assert messages == [
        f"Field '{name}' is required"
        for name in (
            "useInviteUrl",
            "isNpnRequired",
            "downstreamEntityName",
            "firstName",
            "lastName",
            "email",
            "category",
        )
    ]
