"""Which engine a test gets, and what it says where an engine cannot do something."""

import sys
from types import ModuleType

import pytest
from doubles.consumer_project import Project

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.engines import EngineError, choose
from pytest_turris.time_travel.travel import TimeTravel

_CHECK = (
    "import datetime as dt, sys, freezegun, pytest, time_machine as tm",
    "def engine():",
    "    return 'freezegun' if dt.datetime.__name__ == 'FakeDatetime' else 'time-machine'",
    "def check(turris, turris_time, expected):",
    "    before = turris_time.now",
    "    turris_time.advance(hours=1)",
    "    assert (dt.datetime.now(dt.UTC) - before).total_seconds() == pytest.approx(3600, abs=9)",
    "    assert abs((turris.clock.now() - dt.datetime.now(dt.UTC)).total_seconds()) < 9",
    "    assert engine() == expected",
)
FITTING = {
    "decorator of time-machine": (
        "time-machine",
        "@tm.travel('2031-05-04 00:00Z', tick=False)",
        "",
    ),
    "ticking decorator": ("time-machine", "@tm.travel(1.9e9)", ""),
    "decorator of freezegun": ("freezegun", "@freezegun.freeze_time('2031-05-04')", ""),
    "marker of time-machine": ("time-machine", "@pytest.mark.time_machine(1.9e9)", ""),
    "fixture of time-machine": ("time-machine", "", ", time_machine"),
    "fixture of pytest-freezer": ("freezegun", "", ", freezer"),
    "marker of pytest-freezer": (
        "freezegun",
        "@pytest.mark.freeze_time('2031-05-04')",
        ", freezer",
    ),
    "nothing": ("time-machine", "", ""),
}


@pytest.mark.parametrize("option", ["auto", "freezegun", "time-machine"])
def test_engine_fits_the_test(project: Project, option: str) -> None:
    """What the test itself uses decides, asked for before ours or after, whatever the option."""
    lines = list(_CHECK)
    for number, (name, (engine, above, fixture)) in enumerate(FITTING.items()):
        expected = option if name == "nothing" and option != "auto" else engine
        for order in (f"turris, turris_time{fixture}", f"{fixture[2:] or 'turris'}, turris_time"):
            arguments = order if "turris," in order else f"{order}, turris"
            lines += [
                above,
                f"def test_{number}_{len(lines)}({arguments}):",
                f"    check(turris, turris_time, {expected!r})",
            ]
    project.files(*lines)
    result = project.run_apart("-o", f"turris_time_engine={option}", "-W", "ignore")
    result.assert_outcomes(passed=2 * len(FITTING))


def test_travel_that_begins_in_the_body(project: Project) -> None:
    """Under the default, either engine may begin inside the test, and is moved."""
    project.files(
        *_CHECK,
        "def test_travel(turris, turris_time):",
        "    with tm.travel(1.9e9, tick=False): check(turris, turris_time, 'time-machine')",
        "    check(turris, turris_time, 'time-machine')",
        "def test_freeze(turris, turris_time):",
        "    with freezegun.freeze_time('2031-05-04'): check(turris, turris_time, 'freezegun')",
        "    check(turris, turris_time, 'time-machine')",
    )
    project.run_apart().assert_outcomes(passed=2)


def test_without_time_machine_it_is_freezegun(monkeypatch: pytest.MonkeyPatch) -> None:
    """``auto`` takes what is installed."""
    assert choose("auto", None) == "time-machine"
    monkeypatch.setitem(sys.modules, "time_machine", None)
    monkeypatch.setattr("pytest_turris.time_travel.engines.find_spec", lambda _: None)
    assert choose("auto", None) == "freezegun"


@pytest.mark.parametrize(
    ("library", "patcher", "asks"),
    [
        ("gevent", "gevent.monkey", "is_module_patched"),
        ("eventlet", "eventlet.patcher", "is_monkey_patched"),
    ],
)
def test_green_threads_are_refused(
    monkeypatch: pytest.MonkeyPatch, library: str, patcher: str, asks: str, turris: Sandbox
) -> None:
    """A process whose threads were patched gets one sentence, and nothing stays replaced."""
    module = ModuleType(patcher)
    setattr(module, asks, lambda name: name in ("threading", "thread"))
    monkeypatch.setitem(sys.modules, patcher, module)
    travel = TimeTravel(turris)
    with pytest.raises(EngineError, match=f"threads {library} patched.*without monkey-patching"):
        travel.start()
    travel.stop()
    setattr(module, asks, lambda _: False)
    travel.start()
    travel.stop()


def test_failure_with_a_fake_datetime_names_the_way_out(project: Project) -> None:
    """A failure that shows freezegun's type says what it is, and which engine has none."""
    project.files(
        "import datetime as dt, pytest, time",
        "@pytest.mark.turris(time_engine='freezegun')",
        "def test_fake(turris_time): raise TypeError(f'cannot encode {type(dt.datetime.now())}')",
        "def test_other(turris_time): raise TypeError('cannot encode')",
    )
    result = project.run_apart("-p", "no:randomly")
    result.assert_outcomes(failed=2)
    assert result.stdout.str().count("FakeDatetime is freezegun's") == 1
    result.stdout.fnmatch_lines(["*time_engine='time-machine'*"])


def test_failure_says_which_module_slept_how_long(project: Project) -> None:
    """The report of a failed test has the sleeps by module, moved and real."""
    project.files(
        "import time, threading, pytest",
        "@pytest.mark.turris(time_real_modules='legacy')",
        "def test_it(turris_time):",
        "    time.sleep(90)",
        "    exec('import time; time.sleep(0.01)', {'__name__': 'legacy.poller'})",
        "    assert False",
        "def test_none(turris_time): assert False",
    )
    result = project.run_apart("-p", "no:randomly")
    result.stdout.fnmatch_lines([
        "*- turris time -*",
        "test_project slept 0:01:30",
        "together this moved the clock by 0:01:30",
        "legacy.poller really slept 0.01 s, as it is left out",
    ])  # fmt: skip
    assert result.stdout.str().count("- turris time -") == 1


def test_local_zone_stays_with_time_machine(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process keeps its own zone while it travels, and over each move."""
    monkeypatch.setenv("TZ", "America/New_York")
    project.files(
        "import datetime as dt, time, pytest",
        "@pytest.mark.turris(time_engine='time-machine')",
        "def test_it(turris_time):",
        "    for _ in range(2):",
        "        assert time.tzname == ('EST', 'EDT')",
        "        offset = dt.datetime.now().astimezone().utcoffset()",
        "        assert offset.total_seconds() in (-14400, -18000)",
        "        turris_time.advance(days=200)",
        "        turris_time.move_to(turris_time.now + dt.timedelta(hours=1))",
    )
    project.run_apart().assert_outcomes(passed=1)
