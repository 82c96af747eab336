"""The rows of the clock."""

import datetime as dt

import pytest
from doubles.controlled import Controlled, Refused

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def controlled() -> Controlled:
    """A server with an empty sandbox."""
    return Controlled()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("56m", 3360), (90, 90), ("1h30m", 5400), ("250ms", 0.25), ("2d", 172_800), ("1.5", 1.5)],
)
def test_time_passes(controlled: Controlled, text: object, seconds: float) -> None:
    """A duration is a number of seconds, or text."""
    assert controlled.call("POST", "/clock/advance", by=text)["aheadSeconds"] == seconds


def test_the_clock_goes_back_and_to_now(controlled: Controlled) -> None:
    """A moment may lie in the past; ``back-to-now`` ends all travel."""
    there = controlled.call("POST", "/clock/move", to="2020-02-29T12:00:00Z")
    assert there["now"].startswith("2020-02-29T12:00:0")
    assert controlled.get("/clock")["aheadSeconds"] < 0
    assert controlled.call("POST", "/clock/back-to-now")["aheadSeconds"] == 0


def test_to_the_moments_of_a_token(controlled: Controlled) -> None:
    """The newest token by default, or any; earlier or later."""
    sandbox = controlled.sandbox
    first = sandbox.tokens.issue(sandbox.client)
    controlled.call("POST", "/clock/advance", by="10m")
    second = sandbox.tokens.issue(sandbox.client)
    assert controlled.get("/clock")["newestToken"]["tokenId"] == second.jti
    controlled.call("POST", "/clock/to-refresh-point", plus="1ms")
    assert dt.timedelta(0) < sandbox.clock.now() - (second.issued_at + 3300 * SECOND) < SECOND
    controlled.call("POST", "/clock/to-expiry", minus=60)
    assert dt.timedelta(0) <= sandbox.clock.now() - second.expires_at + 60 * SECOND < SECOND
    controlled.call("POST", "/clock/to-expiry", tokenId=second.jti)
    assert dt.timedelta(0) <= sandbox.clock.now() - second.expires_at < SECOND
    controlled.call("POST", "/clock/to-expiry", tokenId=first.jti)
    assert dt.timedelta(0) <= sandbox.clock.now() - first.expires_at < SECOND


def test_what_is_due_happens(controlled: Controlled) -> None:
    """After a move, what became due by then has happened: a license expired."""
    controlled.call("POST", "/sandbox/seed", name="small_agency")
    controlled.call("POST", "/clock/advance", by="366d")
    kinds = [event["kind"] for event in controlled.get("/events")["items"]]
    assert "AGENT_COMPLIANCE_STATUS_CHANGE" in kinds


@pytest.mark.parametrize(
    ("verb", "members", "status"),
    [
        ("advance", {"by": "-5m"}, 400),
        ("advance", {"by": "5 minutes"}, 400),
        ("advance", {"by": True}, 400),
        ("advance", {"by": 1e300}, 400),
        ("advance", {}, 400),
        ("advance", {"by": 9e10}, 409),  # seconds; about 2,900 years three times over
        ("move", {"to": "2020-02-29T12:00:00"}, 400),
        ("move", {"to": 1_582_977_600}, 400),
        ("move", {"to": "9999-12-31T23:59:59Z"}, 409),
        ("move", {"to": "1969-12-31T23:59:59Z"}, 409),
        ("to-expiry", {}, 409),
        ("to-expiry", {"tokenId": "unknown"}, 404),
    ],
)
def test_a_move_that_cannot_be_is_refused(
    controlled: Controlled, verb: str, members: dict[str, object], status: int
) -> None:
    """No step back by ``advance``, no moment without a zone, none at the end of the calendar."""
    for _ in range(2 if members == {"by": 9e10} else 0):
        controlled.call("POST", "/clock/advance", by=9e10)
    before = controlled.sandbox.snapshot()
    with pytest.raises(Refused) as refused:
        controlled.call("POST", f"/clock/{verb}", **members)
    assert refused.value.status == status
    assert controlled.sandbox.snapshot() == before
