"""What HTTP asks of every answer: Date, HEAD and OPTIONS."""

import datetime as dt
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import pytest
from doubles.sandbox_client import INVITATION, INVITE, Client

from pytest_turris.core.wire.messages import Response

HOUR = dt.timedelta(hours=1)


def header(response: Response, name: str) -> str | None:
    """The value of a header."""
    return dict(response.headers).get(name)


def test_date_is_that_of_the_sandbox(caller: Client) -> None:
    """It moves with the clock, and answers that refuse have it too."""
    for path in ("/v1/agents", "/v1/nothing"):
        before = caller.sandbox.clock.now().replace(microsecond=0)
        moment = parsedate_to_datetime(header(caller.get(path), "date") or "")
        assert before <= moment <= caller.sandbox.clock.now()
        caller.sandbox.clock.advance(HOUR)


def test_a_stored_answer_has_a_date_of_its_own(caller: Client) -> None:
    """A replay is as old as the request that it answers."""
    key = {"idempotency-key": "0b0cbb3c-5f67-4a8f-9a2e-0c5a3c0a7f11"}
    first = caller.post(INVITE, INVITATION, headers=key)
    caller.sandbox.clock.advance(HOUR / 2)
    again = caller.post(INVITE, INVITATION, headers=key)
    assert first.body == again.body
    assert header(first, "date") != header(again, "date")


def test_date_can_be_left_out(caller_with: Callable[..., Client]) -> None:
    """With ``date_header=False``."""
    assert header(caller_with(date_header=False).get("/v1/agents"), "date") is None


def test_head_has_the_length_of_get(caller: Client) -> None:
    """And the same status and headers, but no content; the journal names the operation."""
    got, head = caller.get("/v1/agents"), caller.send("HEAD", "/v1/agents")
    assert (head.status, head.body) == (got.status, b"")
    assert int(header(head, "content-length") or 0) > 0
    assert caller.sandbox.journal[-1].operation == "list_agents"


@pytest.mark.parametrize("path", ["/v1/auth/jwt", "/v1/nothing"])
def test_head_where_there_is_no_get(caller: Client, path: str) -> None:
    """It is a 404."""
    assert caller.send("HEAD", path).status == 404


def test_options_is_unknown_to_nestjs(caller: Client) -> None:
    """A server without CORS answers it with a 404."""
    assert caller.send("OPTIONS", "/v1/agents").status == 404


def test_options_as_express_answers_it(caller_with: Callable[..., Client]) -> None:
    """With the methods of the path, and a 404 for a path that is not known."""
    caller = caller_with(head_and_options="express")
    answer = caller.send("OPTIONS", "/v1/agents")
    assert (answer.status, header(answer, "allow")) == (200, "GET,HEAD,POST")
    assert caller.send("HEAD", "/v1/agents").status == 200
    assert caller.send("OPTIONS", "/v1/nothing").status == 404


def test_both_can_be_unknown(caller_with: Callable[..., Client]) -> None:
    """As any other method without an operation."""
    caller = caller_with(head_and_options="unknown")
    assert [caller.send(each, "/v1/agents").status for each in ("HEAD", "OPTIONS")] == [404, 404]
