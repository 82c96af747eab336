import asyncio
import datetime as dt
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import freezegun
import httpx
import pytest
import time_machine

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.process.system_clock import system_time
from pytest_turris.time_travel.engines import running
from pytest_turris.time_travel.sleeps import SleptTooLongError
from pytest_turris.time_travel.travel import TimeTravel

ENGINES = ("freezegun", "time-machine")
HOUR = dt.timedelta(hours=1)
ALONE = ("--disable-plugin-autoload", "-p", "pytest_turris.plugin")
on_both = pytest.mark.parametrize(
    "engine", [pytest.param(e, marks=pytest.mark.turris(time_engine=e)) for e in ENGINES]
)


@on_both
def test_engine_moves_process_and_sandbox(
    engine: str, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """Either engine moves wall clock, datetime and sandbox to the same millisecond."""
    before = turris_time.now
    turris_time.advance(minutes=55, milliseconds=1)
    assert turris_time.now - before == dt.timedelta(minutes=55, milliseconds=1)
    assert dt.datetime.now(dt.UTC) == turris.clock.now() == turris_time.now
    assert abs(time.time() - turris_time.now.timestamp()) < 0.0005


@on_both
def test_sleeps_pass_and_are_recorded(engine: str, turris_time: TimeTravel) -> None:
    """Each kind of sleep moves the clock at once and is on record."""
    began, real = turris_time.now, system_time()
    time.sleep(3_600)
    asyncio.run(asyncio.sleep(1_800))
    anyio.run(anyio.sleep, 900)
    anyio.run(anyio.sleep, 450, backend="trio")
    assert not threading.Event().wait(225)
    kinds = [sleep.by for sleep in turris_time.sleeps]
    assert kinds == ["time.sleep", "asyncio.sleep", "anyio.sleep", "anyio.sleep", "Event.wait"]
    assert turris_time.slept == turris_time.now - began == dt.timedelta(seconds=6_975)
    assert system_time() - real < dt.timedelta(seconds=10)


def test_sleep_by_name_passes_too(turris_time: TimeTravel) -> None:
    """A module that imported ``sleep`` by name does not really sleep."""
    module = type(sys)("imported_by_name")
    exec("from time import sleep", vars(module))  # noqa: S102 - a module of its own
    sys.modules[module.__name__] = module
    try:
        vars(module)["sleep"](3_600)
    finally:
        del sys.modules[module.__name__]
    assert turris_time.slept == HOUR


@pytest.mark.parametrize(
    ("seconds", "error"),
    [
        (-1, ValueError),
        (float("nan"), ValueError),
        (1e12, OverflowError),
        ("1", TypeError),
        (dt.timedelta(seconds=1), TypeError),
    ],
)
def test_impossible_sleeps_raise_what_python_raises(
    turris_time: TimeTravel, seconds: Any, error: type[Exception]
) -> None:
    """What ``time.sleep`` refuses is refused in the same way."""
    with pytest.raises(error):
        time.sleep(seconds)


def test_sixty_years_fail_at_once(turris_time: TimeTravel) -> None:
    """A sleep beyond the budget raises where it happens, past every ``except Exception``."""
    turris_time.limit_sleeps(dt.timedelta(minutes=10))
    time.sleep(599)
    with pytest.raises(SleptTooLongError, match="more than 0:10:00 in total"):
        time.sleep(1.9e9)
    with pytest.raises(SleptTooLongError):
        asyncio.run(asyncio.sleep(float("inf")))


def test_event_that_another_thread_sets_is_waited_for(turris_time: TimeTravel) -> None:
    """An event set by another thread meanwhile is no sleep."""
    event = threading.Event()
    threading.Thread(target=event.set).start()
    assert event.wait(30)
    assert not turris_time.sleeps


@pytest.mark.turris(time_tick=True)
def test_tick_lets_time_pass(turris_time: TimeTravel) -> None:
    """With ``time_tick`` the clock goes on by itself."""
    before = turris_time.now
    deadline = time.perf_counter() + 5
    while turris_time.now == before and time.perf_counter() < deadline:
        pass
    assert turris_time.now > before


def test_running_travel_is_moved(turris: Sandbox) -> None:
    """A freeze or travel that the test began is the one that moves, whatever the option says."""
    with time_machine.travel(dt.datetime(2030, 1, 1, tzinfo=dt.UTC), tick=False):
        travel = TimeTravel(turris)
        travel.start()
        assert not sys.modules["freezegun.api"].freeze_factories
        travel.advance(hours=1)
        assert dt.datetime.now(dt.UTC) == dt.datetime(2030, 1, 1, 1, tzinfo=dt.UTC)
        travel.stop()


def test_nested_freeze_is_moved_and_left(turris_time: TimeTravel) -> None:
    """Inside a freeze of the test's own that one moves; after it, ours goes on."""
    outer = turris_time.now
    with freezegun.freeze_time("2031-01-01"):
        turris_time.advance(hours=1)
        assert turris_time.now == dt.datetime(2031, 1, 1, 1, tzinfo=dt.UTC)
    assert turris_time.now == outer


@on_both
def test_threads_live_in_the_same_time(engine: str, turris_time: TimeTravel) -> None:
    """A thread sees the moved time a few frames deep, whichever clock it reads."""
    turris_time.advance(days=400)
    seen: list[float] = []

    def deep(frames: int) -> None:
        if frames:
            deep(frames - 1)
        else:
            seen.append(time.time())

    thread = threading.Thread(target=deep, args=(6,))
    thread.start()
    thread.join()
    assert abs(seen[0] - turris_time.now.timestamp()) < 1


@on_both
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_deadlines_move_with_the_clock(engine: str, backend: str, turris_time: TimeTravel) -> None:
    """A deadline that the test travels past has passed, and one that nothing else ends comes."""

    async def main() -> None:
        with anyio.move_on_after(30) as passed:
            turris_time.advance(hours=2)
            await anyio.sleep(0.001)
        assert passed.cancelled_caught
        before = turris_time.now
        with pytest.raises(TimeoutError):
            with anyio.fail_after(600):
                await anyio.Event().wait()
        assert turris_time.now - before == dt.timedelta(minutes=10)

    anyio.run(main, backend=backend)


@on_both
def test_server_follows_and_does_not_sleep(
    engine: str, turris: Sandbox, turris_time: TimeTravel, turris_server: Server
) -> None:
    """The server in its thread answers in the moved time; its own pauses are not on record."""
    turris_time.advance(days=3)
    now = turris_time.now
    document = httpx.get(f"{turris_server.base_url}/v1/agents").json()
    assert document["timestamp"].startswith(f"{now:%Y-%m-%dT%H:%M:%S}")
    assert turris_time.now == now
    assert not turris_time.sleeps


@pytest.mark.parametrize(
    ("engine", "raised"), [("freezegun", KeyboardInterrupt), ("time-machine", ZeroDivisionError),
                           ("freezegun", ZeroDivisionError),
                           ("time-machine", KeyboardInterrupt)],
)  # fmt: skip
def test_nothing_stays_moved(
    pytester: pytest.Pytester, raised: type[BaseException], engine: str
) -> None:
    """After an exception, Ctrl-C or a failed fixture, no frozen module and no sleep is left."""
    pytester.makeconftest(
        "import sys, time, datetime, threading, asyncio\n"
        "before = (time.time, time.sleep, datetime.datetime, asyncio.sleep, threading.Event.wait)\n"
        "def pytest_unconfigure():\n"
        "    now = (time.time, time.sleep, datetime.datetime, asyncio.sleep,\n"
        "           threading.Event.wait)\n"
        "    print('CLEAN' if now == before and abs(time.time() - datetime.datetime.now()"
        ".timestamp()) < 5 else 'LEFT', file=sys.__stderr__)\n"
    )
    pytester.makepyfile(
        f"import pytest\n"
        f"pytestmark = pytest.mark.turris(time_engine={engine!r})\n"
        f"@pytest.fixture\n"
        f"def failing(turris_time): raise {raised.__name__}\n"
        f"def test_fixture(failing): pass\n"
        f"def test_body(turris_time): raise {raised.__name__}\n"
    )
    result = pytester.runpytest_subprocess(*ALONE)
    assert "CLEAN" in result.stderr.str()


def test_subprocess_begins_its_own_travel(
    turris: Sandbox, turris_time: TimeTravel, turris_server: Server, tmp_path: Path
) -> None:
    """A client in another process is given the time and travels by itself."""
    turris_time.advance(days=30)
    script = tmp_path / "client.py"
    script.write_text(
        "import datetime, os, time_machine, httpx\n"
        "start = datetime.datetime.fromisoformat(os.environ['CLIENT_TIME'])\n"
        "with time_machine.travel(start):\n"
        "    base = os.environ['TURRIS_BASE_URL']\n"
        "    body = {'clientId': os.environ['TURRIS_CLIENT_ID'],\n"
        "            'clientSecret': os.environ['TURRIS_CLIENT_SECRET']}\n"
        "    said = httpx.post(base + '/v1/auth/jwt', json=body).json()['timestamp']\n"
        "    said = datetime.datetime.fromisoformat(said)\n"
        "    print(abs(datetime.datetime.now(datetime.UTC) - said).total_seconds() < 60)\n"
    )
    import os

    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False,
        env=os.environ | {"CLIENT_TIME": turris_time.now.isoformat()},
    )  # fmt: skip
    assert done.stdout.strip() == "True", done.stderr


def test_clock_mismatch_is_told(turris: Sandbox) -> None:
    """A clock that was moved alone is named in the refusal, with both times and the fix."""
    token = turris.tokens.issue(turris.client)
    turris.clock.advance(minutes=61)
    with turris.expect_refusal(status=401) as refusal:
        httpx.get(f"{turris.base_url}/v1/agents", headers={"authorization": f"Bearer {token.text}"})
    reason = refusal.exchanges[0].reason
    assert "CLOCK MISMATCH" in reason
    assert "turris_time" in reason
    assert reason.count("Z") >= 3
    assert str(token.text) not in reason


def test_clock_mismatch_of_another_process_is_told(
    turris: Sandbox, turris_time: TimeTravel, turris_server: Server
) -> None:
    """What comes over a socket with an expired token may live on the machine's time."""
    token = turris.tokens.issue(turris.client)
    turris_time.advance(minutes=61)
    with turris.expect_refusal(status=401) as refusal:
        url = f"{turris_server.base_url}/v1/agents"
        httpx.get(url, headers={"authorization": f"Bearer {token.text}"})
    assert "if the client is another process" in refusal.exchanges[0].reason


def test_no_mismatch_where_both_moved(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A token that simply expired is told without a word about clocks that differ."""
    token = turris.tokens.issue(turris.client)
    turris_time.advance(minutes=61)
    with turris.expect_refusal(status=401) as refusal:
        httpx.get(f"{turris.base_url}/v1/agents", headers={"authorization": f"Bearer {token.text}"})
    assert "MISMATCH" not in refusal.exchanges[0].reason


def test_mismatch_is_in_the_failing_test(pytester: pytest.Pytester) -> None:
    """A test that fails for it shows the mismatch without being asked."""
    pytester.makepyfile(
        """
        import httpx

        def test_it(turris):
            token = turris.tokens.issue(turris.client)
            turris.clock.advance(minutes=61)
            headers = {"authorization": f"Bearer {token.text}"}
            assert httpx.get(f"{turris.base_url}/v1/agents", headers=headers).status_code == 200
        """
    )
    result = pytester.runpytest_subprocess(*ALONE)
    result.stdout.fnmatch_lines(["*CLOCK MISMATCH*"])


def test_nothing_runs_after_the_fixture() -> None:
    """Between tests no engine is in force."""
    assert running() is None
