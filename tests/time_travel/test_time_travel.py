"""Time travel: exact to the millisecond, beside threads and event loops, and without trace."""

import asyncio
import datetime as dt
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import freezegun
import httpx
import pytest
import requests
import trio
from doubles.consumer_project import Project

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.time_travel.travel import NoTokenError, TimeTravel

MS = dt.timedelta(milliseconds=1)
MINUTE = dt.timedelta(minutes=1)
MOMENT = dt.datetime(2031, 5, 4, 12, tzinfo=dt.UTC)
CREDENTIALS = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}


def process_time() -> dt.datetime:
    """What the code under test believes."""
    return dt.datetime.now(dt.UTC)


def login(base_url: str) -> dict[str, str]:
    """Buy a token with the credentials of the environment."""
    body = {member: os.environ[name] for member, name in CREDENTIALS.items()}
    client = requests if base_url.startswith("http://127") else httpx
    answer = client.post(base_url + "/v1/auth/jwt", json=body, timeout=5)
    return {"Authorization": f"Bearer {answer.json()['data']['accessToken']}"}


def status(base_url: str, headers: dict[str, str]) -> int:
    """How a call with that token is answered."""
    client = requests if base_url.startswith("http://127") else httpx
    code: int = client.get(base_url + "/v1/agents", headers=headers, timeout=5).status_code
    return code


# The moments that matter


@pytest.mark.parametrize(
    ("plus", "expected"),
    [(-MS, 200), (dt.timedelta(microseconds=-1), 200), (MS * 0, 401), (MS, 401)],
)
def test_expiry_is_exact(
    turris: Sandbox, turris_time: TimeTravel, plus: dt.timedelta, expected: int
) -> None:
    """A token holds until the last microsecond before its expiry, and from there no more."""
    token = login(turris.base_url)
    begun = turris_time.now
    assert turris_time.to_expiry(plus=plus) == begun + 60 * MINUTE + plus
    assert status(turris.base_url, token) == expected


@pytest.mark.parametrize("plus", [-MS, MS * 0, MS])
def test_refresh_point_is_exact(
    turris: Sandbox, turris_time: TimeTravel, plus: dt.timedelta
) -> None:
    """The refresh point is 55 minutes after the issue, for the process as for the sandbox."""
    login(turris.base_url)
    begun = process_time()
    turris_time.to_refresh_point(plus=plus)
    assert process_time() == begun + 55 * MINUTE + plus == turris_time.now


@pytest.mark.turris(token_ttl=10 * MINUTE, refresh_buffer=MINUTE)
def test_moments_follow_the_options(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Both moments are those of the options, not of the documentation."""
    begun = turris.tokens.issue(turris.client).issued_at
    assert turris_time.to_refresh_point() == begun + 9 * MINUTE
    assert turris_time.to_expiry() == begun + 10 * MINUTE


def test_moment_of_a_certain_token(turris: Sandbox, turris_time: TimeTravel) -> None:
    """With several tokens the newest counts, or the one that is named."""
    first = turris.tokens.issue(turris.client)
    turris_time.advance(minutes=1)
    turris.tokens.issue(turris.client)
    assert turris_time.to_expiry(token=first) == first.expires_at
    assert turris_time.to_expiry() == first.expires_at + MINUTE


def test_moment_without_a_token_says_what_to_do(turris_time: TimeTravel) -> None:
    """Before the first token there is no expiry to go to."""
    with pytest.raises(NoTokenError, match="make a call with the client first"):
        turris_time.to_expiry()


def test_time_begins_at_a_full_second_and_stands(turris_time: TimeTravel) -> None:
    """``iat`` and ``exp`` are exact, because time stands at a full second."""
    assert process_time().microsecond == 0
    assert process_time() == process_time() == turris_time.now


def test_sandbox_and_process_move_together(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Whichever of the two clocks is moved, the other comes along."""
    begun = turris_time.now
    turris_time.advance(hours=1)
    turris.clock.advance(minutes=1)
    assert process_time() == turris.clock.now() == begun + 61 * MINUTE
    assert time.time() == turris_time.now.timestamp()


def test_delay_fault_passes_for_both(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A scripted delay takes its time on the process' clock too; nothing sleeps."""
    turris.faults.add("jwks", delay=30)
    begun = process_time()
    httpx.get(turris.base_url + "/.well-known/jwks.json", timeout=60)
    assert process_time() == begun + dt.timedelta(seconds=30)


def test_skew_stays_while_time_is_moved(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A sandbox whose clock was set apart keeps its distance."""
    turris.clock.move_to(process_time() + 7 * MINUTE)
    turris_time.move_to(MOMENT)
    assert (turris.clock.now(), process_time()) == (MOMENT, MOMENT - 7 * MINUTE)


def test_back_and_forth(turris_time: TimeTravel) -> None:
    """``move_to`` goes anywhere, ``advance`` forward only, and neither without a time zone."""
    assert turris_time.move_to(MOMENT) == process_time() == MOMENT
    assert turris_time.move_to(MOMENT - 500 * MINUTE) == MOMENT - 500 * MINUTE
    with pytest.raises(ValueError, match="would go back; use move_to for that"):
        turris_time.advance(minutes=-1)
    with pytest.raises(ValueError, match="has no time zone"):
        turris_time.move_to(MOMENT.replace(tzinfo=None))


# Beside what else runs


@pytest.mark.parametrize("seconds", [0, 3_600])
def test_server_moves_along(turris_server: Server, turris_time: TimeTravel, seconds: int) -> None:
    """The server's thread answers by the moved time."""
    token = login(turris_server.base_url)
    turris_time.advance(seconds=seconds)
    assert status(turris_server.base_url, token) == (401 if seconds else 200)
    assert turris_server.sandbox.journal[-1].at == turris_time.now


def test_threads_see_the_moved_time(turris_time: TimeTravel) -> None:
    """A thread, started before or after the move, reads the moved time."""
    with ThreadPoolExecutor(1) as before:
        before.submit(int).result()
        turris_time.move_to(MOMENT)
        assert before.submit(process_time).result() == MOMENT
    seen: list[dt.datetime] = []
    thread = threading.Thread(target=lambda: seen.append(process_time()))
    thread.start()
    thread.join()
    assert seen == [MOMENT]


async def _deadlines(travel: TimeTravel) -> None:
    before = travel.now
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(50):
            await asyncio.Event().wait()
    assert travel.now == before + dt.timedelta(seconds=50)
    async with asyncio.timeout(7_300):
        await asyncio.get_running_loop().run_in_executor(None, int)
        travel.advance(hours=2)
        await asyncio.get_running_loop().run_in_executor(None, int)
    with pytest.raises(TimeoutError):
        await _travel_past_a_deadline(travel)


async def _travel_past_a_deadline(travel: TimeTravel) -> None:
    async with asyncio.timeout(7_100):
        travel.advance(hours=2)
        await asyncio.get_running_loop().run_in_executor(None, int)


@pytest.fixture
def real_asyncio_before() -> None:
    """A freeze with ``real_asyncio`` in an earlier test: it leaves its mark on the loop's class."""
    with freezegun.freeze_time(MOMENT, real_asyncio=True):
        pass


def test_asyncio_timeouts_travel(real_asyncio_before: None, turris_time: TimeTravel) -> None:
    """A timeout fires when the clock has passed it, and not before."""
    asyncio.run(_deadlines(turris_time))


def test_asyncio_timeouts_travel_in_the_users_freeze(request: pytest.FixtureRequest) -> None:
    """The same in a freeze that the user began without ``real_asyncio``."""
    with freezegun.freeze_time(MOMENT):
        travel: TimeTravel = request.getfixturevalue("turris_time")
        try:
            asyncio.run(_deadlines(travel))
        finally:
            travel.stop()


def test_async_client_travels(turris: Sandbox, turris_time: TimeTravel) -> None:
    """An async client buys a new token once time has passed, inside one event loop."""

    async def calls() -> list[int]:
        body = {member: os.environ[name] for member, name in CREDENTIALS.items()}
        async with asyncio.timeout(4_000), httpx.AsyncClient(base_url=turris.base_url) as http:
            bought = (await http.post("/v1/auth/jwt", json=body)).json()["data"]
            headers = {"Authorization": f"Bearer {bought['accessToken']}"}
            first = await http.get("/v1/agents", headers=headers)
            turris_time.to_expiry()
            second = await http.get("/v1/agents", headers=headers)
        return [first.status_code, second.status_code]

    assert asyncio.run(calls()) == [200, 401]


# Afterwards

TRACES = (
    "import asyncio, datetime, sys, threading, time",
    "NOW, TIME, SLEEP, WAIT, LOOP = (datetime.datetime, time.time, time.sleep,",
    "    threading.Event.wait, asyncio.BaseEventLoop.time)",
    "def clean():",
    "    now = datetime.datetime, time.time, time.sleep, threading.Event.wait",
    "    api = sys.modules.get('freezegun.api')",
    "    return (now == (NOW, TIME, SLEEP, WAIT) and asyncio.BaseEventLoop.time is LOOP",
    "        and not (api and api.freeze_factories))",
)


def test_nothing_stays_frozen(project: Project) -> None:
    """After a pass, a failure and errors in set-up and teardown the process is as before."""
    project.files(
        *TRACES,
        "import pytest",
        "@pytest.fixture",
        "def broken(turris_time): raise RuntimeError",
        "@pytest.fixture",
        "def breaks(turris_time): yield; raise RuntimeError",
        "@pytest.fixture(autouse=True)",
        "def check(): assert clean(); yield; assert clean()",
        "def test_passes(turris_time): assert not clean()",
        "def test_fails(turris_time): assert 0",
        "def test_set_up(turris_time, broken): pass",
        "def test_teardown(turris_time, breaks): pass",
        "def test_skips(turris_time): pytest.skip('now')",
        "@pytest.mark.turris(tokn_ttl=1)",
        "def test_mistake(turris_time): pass",
        "def test_after(): pass",
    )
    project.run().assert_outcomes(passed=3, failed=1, errors=3, skipped=1)


def test_nothing_stays_frozen_after_an_interrupt(project: Project) -> None:
    """Ctrl-C in the middle of a travel ends the travel."""
    project.files(
        conftest="\n".join(
            [*TRACES, "def pytest_unconfigure(): print('clean:', clean(), time.time() > 1e9)"]
        ),
        test_project="def test_x(turris, turris_time, turris_server): raise KeyboardInterrupt",
    )
    result = project.run_apart()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*! KeyboardInterrupt !*", "clean: True True"])


def test_certificates_are_made_after_a_travel(project: Project) -> None:
    """Whoever first makes a certificate while time stands still makes others later, as before."""
    project.files(
        "import trustme",
        "def test_travels(turris_time): trustme.CA()",
        "def test_after(): trustme.CA()",
    )
    project.run_apart("-p", "no:randomly").assert_outcomes(passed=2)


def test_durations_are_real(project: Project) -> None:
    """Durations tell how long a test took, not how far it travelled."""
    project.files(
        "def test_x(turris_time):",
        "    turris_time.advance(days=400)",
        "def test_y(turris_time): turris_time.move_to(turris_time.now.replace(year=1999))",
    )
    result = project.run("--durations=0", "-vv", "--junitxml=report.xml")
    result.assert_outcomes(passed=2)
    for report in result.reprec.getreports("pytest_runtest_logreport"):  # type: ignore[attr-defined] # only in process
        assert 0 <= report.duration < 10


def test_trio_deadlines_travel(turris_time: TimeTravel) -> None:
    """Deadlines of trio pass with the clock."""

    async def wait() -> bool:
        with trio.move_on_after(3_600) as scope:
            await trio.Event().wait()
        return bool(scope.cancelled_caught)

    before = turris_time.now
    assert trio.run(wait)
    assert turris_time.now - before == dt.timedelta(hours=1)
