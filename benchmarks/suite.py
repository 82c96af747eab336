"""Runs a test suite in a separate pytest process, and measures each kind of test.

The name of a test is its kind. All kinds run in one process, alternating in groups of 20 tests of
one kind, as in real suites. Of the installed plugins, only the requested ones are loaded.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Collection
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

_PLUGINS = {entry.name for entry in entry_points(group="pytest11")}

_CONFTEST = """
import collections, json, time
import pytest

took = collections.defaultdict(list)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    begin = time.{clock}()
    result = yield
    took[item.originalname.removeprefix("test_")].append((time.{clock}() - begin) * 1000)
    return result


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: int(item.name.partition("[")[2].rstrip("]")) // 20)


def pytest_sessionfinish():
    with open("took.json", "w") as file:
        json.dump(took, file)
"""

_OFTEN = """
import pytest

def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("n")
    metafunc.parametrize("n", range({count}))

"""


def milliseconds(
    suite: str,
    *,
    count: int = 200,
    plugins: Collection[str] = ("turris",),
    clock: Literal["process_time", "perf_counter"] = "process_time",
) -> dict[str, list[float]]:
    """Return the milliseconds of each test with set-up and tear-down, by kind, in order.

    Raises:
        RuntimeError: A test failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "conftest.py").write_text(_CONFTEST.format(clock=clock), encoding="utf-8")
        Path(folder, "test_suite.py").write_text(
            _OFTEN.format(count=count) + suite, encoding="utf-8"
        )
        off = [word for name in sorted(_PLUGINS - {*plugins}) for word in ("-p", f"no:{name}")]
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *off],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise RuntimeError(run.stdout[-2_000:] + run.stderr)
        took: dict[str, list[float]] = json.loads(
            Path(folder, "took.json").read_text(encoding="utf-8")
        )
    return took


def medians(took: dict[str, list[float]]) -> dict[str, float]:
    """Return the median of each kind."""
    return {kind: statistics.median(each) for kind, each in took.items()}
