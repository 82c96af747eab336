"""Idempotency keys: what is replayed, refused and forgotten."""

import datetime as dt
from collections.abc import Callable

import pytest
from doubles.sandbox_client import INVITE, MICROSECOND, Client, headers_of, refusal

KEY = "550e8400-e29b-41d4-a716-446655440000"
OTHER_KEY = "9b2f4c1e-7a8d-4f6b-8c3a-2e1d0f9b8a7c"
HOUR = dt.timedelta(hours=1)
INVALID = (
    400,
    "invalid_input",
    ["Invalid idempotency key format. The idempotency-key must be a valid UUID"],
)


def invitations(client: Client) -> int:
    """How many agencies were invited."""
    return len(client.sandbox.associations)


@pytest.mark.parametrize("name", ["idempotency-key", "x-idempotency-key"])
def test_a_repeated_request_gets_the_stored_response(caller: Client, name: str) -> None:
    """Both documented headers: the second answer is the first, byte for byte."""
    first, second = (caller.invite({name: KEY}) for _ in range(2))
    assert first.status == second.status == 201
    assert first.body == second.body
    assert invitations(caller) == 1
    assert caller.sandbox.journal[-1].notes == (
        "the stored response for this idempotency key was sent again",
    )


def test_a_key_of_the_future_is_not_known_yet(caller: Client) -> None:
    """Once the clock went back to before its request, a key is new."""
    caller.invite({"idempotency-key": KEY})
    clock = caller.sandbox.clock
    clock.move_to(clock.now() - 24 * HOUR)
    caller.invite({"idempotency-key": KEY})
    assert "sent again" not in str(caller.sandbox.journal[-1].notes)
    clock.move_to(clock.now() + 24 * HOUR)
    caller.invite({"idempotency-key": OTHER_KEY})
    assert caller.sandbox.journal[-1].status == 201


def test_both_headers_are_one_key(caller: Client) -> None:
    """A key sent in one header is known in the other."""
    first = caller.invite({"idempotency-key": KEY})
    assert caller.invite({"x-idempotency-key": KEY}).body == first.body


def test_the_plain_header_wins(caller: Client) -> None:
    """If both headers are sent, ``idempotency-key`` counts (assumed)."""
    first = caller.invite({"idempotency-key": KEY})
    both = {"x-idempotency-key": OTHER_KEY, "idempotency-key": KEY}
    assert caller.invite(both).body == first.body


def test_without_a_key_each_request_counts(caller: Client) -> None:
    """A missing key is not an error, and nothing is stored."""
    caller.invite()
    caller.invite()
    assert invitations(caller) == 2


@pytest.mark.parametrize(
    "key",
    ["", "1", KEY[:-1], KEY + "0", KEY.replace("-", ""), f"{{{KEY}}}", f"{KEY}\n", "g" + KEY[1:]],
)
@pytest.mark.parametrize("name", ["idempotency-key", "x-idempotency-key"])
def test_a_key_that_is_no_uuid_is_refused(caller: Client, name: str, key: str) -> None:
    """The documented 400 with its message, and nothing happens."""
    assert refusal(caller.invite({name: key})) == INVALID
    assert invitations(caller) == 0


def test_two_different_keys_in_one_header_are_refused(caller: Client) -> None:
    """A repeated header with two keys is invalid; with the same key twice it is valid."""
    two = [("idempotency-key", KEY), ("idempotency-key", OTHER_KEY)]
    assert refusal(caller.invite(two)) == INVALID
    assert caller.invite([("idempotency-key", KEY)] * 2).status == 201


def test_a_uuid_has_no_case(caller: Client) -> None:
    """The same key in capitals is the same key."""
    first = caller.invite({"idempotency-key": OTHER_KEY})
    assert caller.invite({"idempotency-key": OTHER_KEY.upper()}).body == first.body


def test_any_version_of_uuid_is_a_key(caller: Client) -> None:
    """The message asks for a valid UUID, not for version 4."""
    assert caller.invite({"idempotency-key": "00000000-0000-1000-8000-000000000000"}).status == 201


@pytest.mark.parametrize("header", ["idempotency-key", "x-idempotency-key"])
def test_another_version_than_4_may_be_refused(
    caller_with: Callable[..., Client], header: str
) -> None:
    """The guide describes the headers as UUID v4; the last key has another variant."""
    caller = caller_with(idempotency_keys="uuid_v4")
    for key in (
        "00000000-0000-1000-8000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "00000000-0000-4000-7000-000000000000",
    ):
        assert refusal(caller.invite({header: key})) == INVALID
    assert str(caller.sandbox.journal[-1].reason).endswith("idempotency_keys='any_uuid' takes it")
    assert caller.invite({header: KEY.upper()}).status == 201


def test_a_response_is_kept_to_the_last_microsecond_of_the_hour(caller: Client) -> None:
    """At 59:59.999999 the stored response is sent."""
    first = caller.invite({"idempotency-key": KEY})
    caller.sandbox.clock.advance(HOUR - MICROSECOND)
    assert caller.invite({"idempotency-key": KEY}).body == first.body


def test_after_the_hour_the_request_is_new(caller: Client) -> None:
    """At 60:00.000000 it is processed and stored again."""
    first = caller.invite({"idempotency-key": KEY})
    caller.sandbox.clock.advance(HOUR)
    caller.token()
    second = caller.invite({"idempotency-key": KEY})
    assert second.status == 201
    assert second.body != first.body
    assert invitations(caller) == 2
    assert caller.invite({"idempotency-key": KEY}).body == second.body


def test_a_replay_does_not_prolong_the_hour(caller: Client) -> None:
    """The hour counts from the first request."""
    caller.invite({"idempotency-key": KEY})
    caller.sandbox.clock.advance(minutes=30)
    caller.invite({"idempotency-key": KEY})
    caller.sandbox.clock.advance(minutes=30)
    caller.token()
    caller.invite({"idempotency-key": KEY})
    assert invitations(caller) == 2


def test_old_responses_are_dropped(caller: Client) -> None:
    """Expired responses are dropped."""
    caller.invite({"idempotency-key": KEY})
    caller.sandbox.clock.advance(HOUR)
    caller.token()
    caller.invite({"idempotency-key": OTHER_KEY})
    assert [row[0][2] for row in caller.sandbox.idempotency.snapshot()] == [OTHER_KEY]


def test_the_time_is_an_option(caller_with: Callable[..., Client]) -> None:
    """Option ``idempotency_ttl`` shortens it."""
    caller = caller_with(idempotency_ttl=dt.timedelta(seconds=5))
    caller.invite({"idempotency-key": KEY})
    caller.sandbox.clock.advance(seconds=5)
    caller.invite({"idempotency-key": KEY})
    assert invitations(caller) == 2


def test_another_body_is_refused(caller: Client) -> None:
    """The same key with another body is a 422 (assumed), and nothing happens."""
    caller.invite({"idempotency-key": KEY})
    assert refusal(caller.invite({"idempotency-key": KEY}, firstName="Jane")) == (
        422,
        "invalid_input",
        ["Idempotency key was already used with a different request body"],
    )
    assert invitations(caller) == 1
    assert caller.sandbox.journal[-1].reason == (
        "the key ...0000 was used at 10:15:45Z with another body; "
        "option idempotency_conflict='replay' answers with the stored response"
    )


def test_another_body_may_get_the_stored_response(caller_with: Callable[..., Client]) -> None:
    """Option ``idempotency_conflict='replay'``: the key alone counts."""
    caller = caller_with(idempotency_conflict="replay")
    first = caller.invite({"idempotency-key": KEY})
    assert caller.invite({"idempotency-key": KEY}, firstName="Jane").body == first.body


def test_keys_belong_to_a_credential(caller: Client) -> None:
    """Another client with the same key is another request."""
    first = caller.invite({"idempotency-key": KEY})
    other = caller.sandbox.credentials.issue()
    caller.bearer = caller.sandbox.tokens.issue(other).text
    assert caller.invite({"idempotency-key": KEY}).body != first.body
    assert invitations(caller) == 2


def test_a_failure_is_not_stored(caller: Client) -> None:
    """After a 400 the same key may carry the corrected body."""
    assert caller.invite({"idempotency-key": KEY}, email="wrong").status == 400
    assert caller.invite({"idempotency-key": KEY}).status == 201


def test_a_scripted_failure_is_not_stored(caller: Client) -> None:
    """A 503 that took no effect is not replayed."""
    caller.sandbox.faults.add("invite", status=503)
    assert caller.invite({"idempotency-key": KEY}).status == 503
    assert caller.invite({"idempotency-key": KEY}).status == 201
    assert invitations(caller) == 1


def test_a_lost_answer_is_found_again(caller: Client) -> None:
    """Processed, but answered with a 504: the retry gets the response, and the effect is single."""
    caller.sandbox.faults.add("invite", status=504, processed=True)
    assert caller.invite({"idempotency-key": KEY}).status == 504
    assert invitations(caller) == 1
    assert caller.invite({"idempotency-key": KEY}).status == 201
    assert invitations(caller) == 1


def test_a_replay_is_as_quick_as_it_is(caller: Client) -> None:
    """The delay of the first answer is not repeated: the retry after a timeout succeeds."""
    caller.sandbox.faults.add("invite", delay=30)
    assert caller.invite({"idempotency-key": KEY}).delay == dt.timedelta(seconds=30)
    assert caller.invite({"idempotency-key": KEY}).delay == dt.timedelta(0)


def test_a_replay_is_a_write_of_its_own(caller_with: Callable[..., Client]) -> None:
    """A replay counts against the limit, and its headers show the caller's window."""
    caller = caller_with(rate_headers="always")
    first = headers_of(caller.invite({"idempotency-key": KEY}))
    second = headers_of(caller.invite({"idempotency-key": KEY}))
    assert first["x-ratelimit-remaining"] == "59"
    assert second["x-ratelimit-remaining"] == "58"


def test_forget_is_a_restart_of_the_cache(caller: Client) -> None:
    """The cache is in memory: after ``forget`` the key is new."""
    caller.invite({"idempotency-key": KEY})
    caller.sandbox.idempotency.forget()
    caller.invite({"idempotency-key": KEY}, firstName="Jane")
    assert invitations(caller) == 2


def test_other_operations_take_no_key(caller: Client) -> None:
    """Operations without idempotency ignore the header, even an invalid one."""
    for npn in ("1", "2"):
        response = caller.post("/v1/agents", {"npn": npn}, {"idempotency-key": "no uuid"})
        assert response.status == 201
    assert len(caller.sandbox.agents) == 2


def test_the_key_is_checked_after_the_caller(client: Client) -> None:
    """An unauthenticated caller learns nothing about keys."""
    response = client.post(INVITE, {}, {"idempotency-key": "no uuid"})
    assert response.status == 401
