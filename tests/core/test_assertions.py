import datetime as dt
from typing import Literal

import httpx
import pytest

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.travel import TimeTravel

TICK = dt.timedelta(milliseconds=1)
INVITE = "/v1/downstream-entity-associations/invite"
KEY = "00000000-0000-4000-8000-00000000000{}"
INVITATION = {
    "downstreamEntityName": "ABC", "firstName": "Dana", "lastName": "Lee",
    "email": "dana.lee@abc.example", "category": "agency", "isNpnRequired": False,
    "useInviteUrl": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def still_time() -> None:
    """Time passes here: ``turris_time`` moves the whole process."""


def ask(turris: Sandbox) -> str:
    """Ask for a token."""
    client = turris.client
    body = {"clientId": client.client_id, "clientSecret": client.client_secret}
    answer = httpx.post(f"{turris.base_url}/v1/auth/jwt", json=body)
    return str(answer.json()["data"]["accessToken"])


def get(turris: Sandbox, token: str) -> int:
    """List the agents."""
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{turris.base_url}/v1/agents", headers=headers).status_code


def invite(turris: Sandbox, token: str, key: str | None) -> int:
    """Invite an agency."""
    headers = {"authorization": f"Bearer {token}"} | ({"idempotency-key": key} if key else {})
    return httpx.post(f"{turris.base_url}{INVITE}", headers=headers, json=INVITATION).status_code


def test_token_requests(turris: Sandbox, turris_time: TimeTravel) -> None:
    """The number is right, or the failure lists the requests with their times."""
    secret = ask(turris)
    turris.assert_token_requests(1)
    turris_time.advance(minutes=5)
    ask(turris)
    with pytest.raises(AssertionError, match="expected 1 token request, the sandbox saw 2") as told:
        turris.assert_token_requests(1)
    assert "+05:00.000" in str(told.value)
    assert secret not in str(told.value)


def test_no_token_in_urls(turris: Sandbox) -> None:
    """A token in a header passes, one in a URL does not and is not shown."""
    token = ask(turris)
    get(turris, token)
    turris.assert_no_token_in_urls()
    httpx.get(f"{turris.base_url}/v1/agents?access_token={token}")
    with pytest.raises(AssertionError, match="1 request of 3 carried a token in the URL") as told:
        turris.assert_no_token_in_urls()
    assert token not in str(told.value)


def test_refreshed_within_buffer(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Used to 55:00.000 and replaced a millisecond later is right."""
    token = ask(turris)
    turris_time.to_refresh_point()
    get(turris, token)
    turris_time.advance(TICK)
    get(turris, ask(turris))
    turris.assert_refreshed_within_buffer()


def test_refreshed_too_late(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A token used at 55:00.001 is told with its age."""
    token = ask(turris)
    turris_time.to_refresh_point(plus=TICK)
    get(turris, token)
    with pytest.raises(AssertionError, match="still used 55:00 min after its issue"):
        turris.assert_refreshed_within_buffer()


def test_refreshed_too_early(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A token replaced at 55:00.000 is told with its times."""
    ask(turris)
    turris_time.to_refresh_point()
    ask(turris)
    with pytest.raises(AssertionError, match=r"due at \+55:00.000"):
        turris.assert_refreshed_within_buffer()


def test_nothing_refreshed_is_no_proof(turris: Sandbox) -> None:
    """Without any refresh the assertion says that it showed nothing."""
    get(turris, ask(turris))
    with pytest.raises(AssertionError, match="nothing is shown"):
        turris.assert_refreshed_within_buffer()


def test_no_expired_token_used(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A token is good to 59:59.999; at 60:00.000 its use is told."""
    token = ask(turris)
    turris_time.to_expiry(plus=-TICK)
    get(turris, token)
    turris.assert_no_expired_token_used()
    turris_time.advance(TICK)
    get(turris, token)
    with pytest.raises(AssertionError, match="1 request carried an expired token"):
        turris.assert_no_expired_token_used()


def test_retried_safely(turris: Sandbox) -> None:
    """A retry with the same key passes."""
    token = ask(turris)
    turris.faults.add("invite", status=502, processed=True)
    assert [invite(turris, token, KEY.format(1)) for _ in range(2)] == [502, 201]
    turris.assert_retried_safely()


@pytest.mark.parametrize(
    ("keys", "words"),
    [((None, None), "no idempotency key"), ((KEY.format(1), KEY.format(2)), "another")],
)
def test_retried_unsafely(turris: Sandbox, keys: tuple[str | None, ...], words: str) -> None:
    """A retry without a key, or with another, is told."""
    token = ask(turris)
    turris.faults.add("invite", status=502, processed=True)
    for key in keys:
        invite(turris, token, key)
    with pytest.raises(AssertionError, match=f"repeated .* s later with {words}"):
        turris.assert_retried_safely()


def test_two_operations_are_no_retry(turris: Sandbox) -> None:
    """After a success the same write is another operation."""
    token = ask(turris)
    for number in (1, 2):
        invite(turris, token, KEY.format(number))
    turris.assert_retried_safely()


def test_exhaust_leaves_what_is_asked(turris: Sandbox) -> None:
    """One token request is left, the next is a 429."""
    turris.limits.exhaust(leave=1)
    ask(turris)
    with turris.expect_refusal(status=429), pytest.raises(KeyError):
        ask(turris)


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_window_edges(window: Literal["fixed", "sliding"]) -> None:
    """Just before the reset nothing is free, at a window's start everything is."""
    sandbox = Sandbox(Options(rate_window=window))
    now = sandbox.clock.now()
    sandbox.clock.process_time = lambda: now  # type: ignore[method-assign] # time stands still
    sandbox.limits.exhaust("write")
    assert sandbox.limits.to_just_before_reset("write").remaining == 0
    assert sandbox.clock.now() - now == dt.timedelta(seconds=59.999)
    assert sandbox.limits.to_window_start("write").remaining == 60
    assert sandbox.clock.now() - now == dt.timedelta(seconds=60)


def test_no_window_no_edge(turris: Sandbox) -> None:
    """Where no call was made there is no window to stand at."""
    with pytest.raises(ValueError, match="no write window"):
        turris.limits.to_just_before_reset("write")
    assert turris.limits.to_window_start("write").remaining == 60


def test_hostile_answer_by_hand(turris: Sandbox, turris_time: TimeTravel) -> None:
    """One call scripts one hostile answer, until it is taken back."""
    token = ask(turris)
    fault = turris.faults.hostile("AR-27/60 years")
    answer = httpx.get(f"{turris.base_url}/v1/agents", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 429
    assert int(answer.headers["x-ratelimit-reset"]) > turris_time.now.timestamp() + 1e9
    turris.faults.remove(fault)
    assert get(turris, token) == 200


@pytest.mark.parametrize("name", ["AR-99", "AR-36", "AR-27/next week"])
def test_unknown_hostile_answer(turris: Sandbox, name: str) -> None:
    """A name that is none is refused with the names that there are, or the reason."""
    with pytest.raises(ValueError, match=r"there is no|cannot be scripted|there are"):
        turris.faults.hostile(name)


def test_hostile_answer_to_a_write_leaves_reads_alone(turris: Sandbox) -> None:
    """A read is served; the write takes effect once although its answer is lost."""
    token = ask(turris)
    turris.faults.hostile("AR-20")
    assert get(turris, token) == 200
    with pytest.raises(httpx.ReadError):
        invite(turris, token, KEY.format(1))
    assert invite(turris, token, KEY.format(1)) == 201
    assert len(turris.associations) == 1


def test_hostile_fault_survives_a_snapshot(turris: Sandbox) -> None:
    """A scripted hostile answer is plain data."""
    turris.faults.hostile("AR-02/null", optional=True)
    copy = Sandbox()
    copy.restore(turris.snapshot())
    assert [str(fault) for fault in copy.faults] == [str(fault) for fault in turris.faults]
