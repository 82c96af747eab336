"""The edges of time: the first and last years, changes of clocks, going back, clocks that run."""

import datetime as dt
import functools
import os
import subprocess
import sys
import time

import httpx
import jwt
import pytest

from pytest_turris.core.clock import ClockError
from pytest_turris.core.middleware.limits import RateWindowError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.process.system_clock import system_time
from pytest_turris.time_travel.travel import TimeTravel

UTC = dt.UTC
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
MS = dt.timedelta(milliseconds=1)
CREDENTIALS = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
pytestmark = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=pytest.mark.turris(time_engine=name))
        for name in ("freezegun", "time-machine")
    ],
)


def login(turris: Sandbox) -> httpx.Response:
    """Ask for a token."""
    body = {member: os.environ[name] for member, name in CREDENTIALS.items()}
    return httpx.post(turris.base_url + "/v1/auth/jwt", json=body)


def use(turris: Sandbox, answer: httpx.Response) -> int:
    """Use a token."""
    token = answer.json()["data"]["accessToken"]
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(turris.base_url + "/v1/agents", headers=headers).status_code


MOMENTS = {
    "1970": dt.datetime(1970, 1, 1, tzinfo=UTC),
    "leap day": dt.datetime(2028, 2, 28, 23, 59, 59, 999_000, tzinfo=UTC),
    "no leap day": dt.datetime(2100, 2, 28, 23, 30, tzinfo=UTC),
    "32 bits": dt.datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
    "32 bits, unsigned": dt.datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC),
    "clocks forward, Berlin": dt.datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC),
    "clocks back, Berlin": dt.datetime(2027, 10, 31, 0, 59, 59, tzinfo=UTC),
    "clocks forward, New York": dt.datetime(2027, 3, 14, 6, 59, 59, tzinfo=UTC),
    "clocks back, New York": dt.datetime(2027, 11, 7, 5, 59, 59, tzinfo=UTC),
    "new year": dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    "another zone": dt.datetime(2027, 6, 1, 5, tzinfo=dt.timezone(dt.timedelta(hours=13))),
    "9998": dt.datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC),
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_token_lives_an_hour_at_any_moment(
    engine: str, moment: dt.datetime, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A token is valid for its hour and no longer; the window of a minute is a minute."""
    assert turris_time.move_to(moment) == moment == dt.datetime.now(UTC)
    answer = login(turris)
    assert answer.status_code == 201
    turris_time.advance(HOUR - MS)
    assert use(turris, answer) == 200
    turris_time.advance(MS)
    with turris.expect_refusal(status=401):
        assert use(turris, answer) == 401
    turris.limits.exhaust("token")
    turris_time.advance(seconds=59)
    assert login(turris).status_code == 429
    turris_time.advance(seconds=1)
    assert login(turris).status_code == 201


def test_last_moment(engine: str, turris: Sandbox, turris_time: TimeTravel) -> None:
    """In the last hour of the year 9999 the sandbox still answers, and travel ends there."""
    last = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    turris_time.move_to(last)
    answer = login(turris)
    assert (answer.status_code, use(turris, answer)) == (201, 200)
    turris.limits.exhaust("token")
    assert login(turris).status_code == 429
    with pytest.raises(ClockError, match="beyond the year 9999"):
        turris_time.advance(seconds=2)
    assert turris_time.now == last


def test_before_1970_is_refused(engine: str, turris_time: TimeTravel) -> None:
    """There the clocks of computers have no numbers."""
    before = turris_time.now
    with pytest.raises(ClockError, match="before 1970"):
        turris_time.move_to(dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert turris_time.now == before


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_rate_window_of_the_future_does_not_count(
    engine: str, window: str, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """What was counted later than now is not counted yet."""
    object.__setattr__(turris.options, "rate_window", window)
    turris.limits.exhaust("token")
    assert login(turris).status_code == 429
    turris_time.move_to(turris_time.now - DAY)
    assert [login(turris).status_code for _ in range(11)] == [201] * 10 + [429]


def test_token_is_valid_by_the_machines_time_at_once(
    engine: str, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """``iat`` is not later than the machine's own now, which a child process goes by."""
    token = str(turris.tokens.issue(turris.client).text)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iat"] <= system_time().timestamp()
    script = (
        "import jwt, sys, time\n"
        "claims = jwt.decode(sys.argv[1], options={'verify_signature': False})\n"
        "print(claims['iat'] <= time.time())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, token], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize("fraction", [0, 1_000, 499_000, 999_000, 999_999])
def test_iat_is_never_later_than_now(
    engine: str, fraction: int, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """Whatever the fraction of the second, ``iat`` is the whole second before."""
    turris_time.move_to(turris_time.now.replace(microsecond=fraction) + HOUR)
    token = str(turris.tokens.issue(turris.client).text)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iat"] == int(turris_time.now.timestamp()) <= time.time()


@pytest.mark.turris(time_tick=True)
def test_boundaries_need_a_clock_that_stands(
    engine: str, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """On a clock that runs, a moment that is over at once is refused, and others are not."""
    turris.tokens.issue(turris.client)
    turris.limits.exhaust("token")
    with pytest.raises(RateWindowError, match="on a clock that runs"):
        turris.limits.to_just_before_reset()
    for go in (
        turris_time.to_refresh_point,
        functools.partial(turris_time.to_expiry, plus=-MS),
        functools.partial(turris_time.to_refresh_point, plus=-MS),
    ):
        with pytest.raises(ClockError, match="the clock runs"):
            go()
    turris_time.to_refresh_point(plus=MS)
    turris_time.to_refresh_point(plus=-dt.timedelta(minutes=1))
    turris_time.to_expiry()


class Captures:
    """Clocks that freezegun cannot reach, as code holds them."""

    clock = dt.datetime

    def read(self, now: object = dt.datetime.now) -> object:
        """A default argument."""
        return now


def test_captured_clocks_are_named(engine: str, turris_time: TimeTravel) -> None:
    """What holds a clock that does not move is listed, under the engine that leaves it out."""
    found = [text for text in turris_time.captured_clocks() if "Captures" in text]
    module = Captures.__module__
    expected = [
        f"datetime held by {module}.Captures",
        f"datetime.now held by {module}.Captures.read",
    ]
    assert sorted(found) == (expected if engine == "freezegun" else [])
