"""The NPN lookup: its input, its order, one lookup at a time."""

import datetime as dt
from collections.abc import Callable

from doubles.sandbox_client import Client, headers_of, refusal

LOOKUP = "/v1/npn-lookup"


def test_each_npn_once_in_the_order_given(caller: Client) -> None:
    """A firm, an individual, a foreign NPN, an unknown one; duplicates are looked up once."""
    sandbox = caller.sandbox
    sandbox.associations.add(downstream_entity_npn="1", downstream_entity_name="Acme")
    sandbox.agents.add(npn="2", first_name="Pat", last_name="Lee")
    sandbox.npns.add(npn="3", entity_type="firm", name="Elsewhere Inc")
    answer = caller.post(LOOKUP, {"npns": ["2", "1", "2", "3", "4"]})
    assert answer.status == 200
    assert answer.json()["data"] == [
        {"npn": "2", "entityType": "individual", "name": "Pat Lee"},
        {"npn": "1", "entityType": "firm", "name": "Acme"},
        {"npn": "3", "entityType": "firm", "name": "Elsewhere Inc"},
        {"npn": "4", "entityType": "not found"},
    ]


def test_one_to_twenty(caller: Client) -> None:
    """Fewer or more are refused, and so is anything but text."""
    for npns in ([], ["1"] * 21, [1], "1", None):
        assert refusal(caller.post(LOOKUP, {"npns": npns}))[:2] == (400, "invalid_input")
    assert caller.post(LOOKUP, {"npns": ["1"] * 20}).status == 200


def test_one_lookup_at_a_time(caller_with: Callable[..., Client]) -> None:
    """While one is in progress on the sandbox's clock, the next is a 429."""
    caller = caller_with(npn_lookup_duration=dt.timedelta(seconds=3))
    assert caller.post(LOOKUP, {"npns": ["1"]}).status == 200
    assert refusal(caller.post(LOOKUP, {"npns": ["1"]})) == (
        429,
        "rate_limit_exceeded",
        ["Too Many Requests"],
    )
    caller.sandbox.clock.advance(seconds=3)
    assert caller.post(LOOKUP, {"npns": ["1"]}).status == 200


def test_a_lookup_elsewhere_in_the_account(caller: Client) -> None:
    """A test can make the account busy."""
    caller.sandbox.npns.occupy(dt.timedelta(minutes=1))
    assert caller.post(LOOKUP, {"npns": ["1"]}).status == 429


def test_a_busy_account_says_when_to_come_back_if_asked(
    caller_with: Callable[..., Client],
) -> None:
    """The option ``retry_after`` is about every 429; the writes that are left are as they are."""
    caller = caller_with(retry_after=True, rate_headers="always")
    caller.sandbox.npns.occupy(dt.timedelta(seconds=89.5))
    headers = headers_of(caller.post(LOOKUP, {"npns": ["1"]}))
    assert headers["retry-after"] == "90"
    assert headers["x-ratelimit-remaining"] == "59"


def test_a_busy_account_does_not_say_when_unless_asked(caller: Client) -> None:
    """No page has ``Retry-After``, so that the default is without it."""
    caller.sandbox.npns.occupy(dt.timedelta(seconds=89.5))
    assert "retry-after" not in headers_of(caller.post(LOOKUP, {"npns": ["1"]}))
