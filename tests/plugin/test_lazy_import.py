"""A run that uses no fixture of ours pays for none of our dependencies."""

import sys
from importlib.metadata import entry_points

import pytest
from doubles.consumer_project import Project

HEAVY = (
    "pydantic", "pydantic_core", "httpx", "httpcore", "respx", "cryptography", "jwt", "freezegun",
    "time_machine", "uvicorn", "h11", "trustme", "requests", "starlette", "ssl", "mock_server",
    "pytest_turris.core", "pytest_turris.doors", "pytest_turris.fixtures", "pytest_turris.hooks",
)  # fmt: skip

REPORT = f"""
import sys
def pytest_unconfigure():
    print("heavy:", sorted(set({HEAVY!r}) & set(sys.modules)))
    print("all:", " ".join(sys.modules))
    print("socket:", "socket" in sys.modules and sys.modules["socket"].getaddrinfo.__module__)
"""


def loaded(result: pytest.RunResult) -> set[str]:
    """Every module that was loaded at the end of a run."""
    line = next(line for line in result.outlines if line.startswith("all: "))
    return set(line.split()[1:])


@pytest.mark.parametrize("plugin", ["pytest_turris.plugin", "turris"])
def test_unused_plugin_loads_itself_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    """Beside pytest itself, an unused plugin adds two modules, and not a single dependency."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    project.files("def test_x(): pass", conftest=REPORT)
    args = ("-p", "no:cacheprovider", "-q")
    without = project.pytester.runpytest_subprocess(*args)
    result = project.pytester.runpytest_subprocess(*args, "-p", plugin)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["heavy: [[][]]"])
    added = {name for name in loaded(result) - loaded(without) if name.startswith("pytest_turris")}
    assert added == {"pytest_turris", "pytest_turris.plugin"}
    assert "asyncio" not in loaded(result) - loaded(without)


def test_unused_plugin_beside_others_loads_nothing(project: Project) -> None:
    """With plugins loaded as pytest finds them, those of others switched off, it is the same."""
    project.files("def test_x(): pass", conftest=REPORT)
    others = {entry.name for entry in entry_points(group="pytest11")} - {"turris"}
    result = project.run_apart(*(f"-pno:{name}" for name in sorted(others)))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["heavy: [[][]]", "socket: *"])
    result.stdout.no_fnmatch_line("socket: pytest_turris*")


def test_used_fixture_loads_what_it_needs(project: Project) -> None:
    """In process there is no server, no TLS authority and no second client library."""
    project.files("def test_x(turris, turris_webhooks): pass", conftest=REPORT)
    names = ("respx", "anyio", "time_machine", "hypothesispytest", "schemathesis", "socket")
    result = project.run_apart(*(f"-pno:{name}" for name in (*names, "freezer")))
    result.assert_outcomes(passed=1)
    unwanted = {"uvicorn", "trustme", "starlette", "freezegun", "mock_server"}
    assert not unwanted & loaded(result)


WATCHED = """
import sys, threading
found = []
watched = {"socket.__new__", "subprocess.Popen", "os.fork"}
sys.addaudithook(lambda event, _: event in watched and found.append(event))
start = threading.Thread.start
threading.Thread.start = lambda self: (found.append("a thread"), start(self))
import pytest
status = pytest.main(sys.argv[1:])
print("begun:", sorted(found))
sys.exit(status)
"""


def test_unused_plugin_begins_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket, no thread and no process, from its import to the end of the run."""
    project.files("def test_x(): pass")
    plugins = ("-p", "no:cacheprovider", "-p", "turris")
    begin = (sys.executable, "-c", WATCHED)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = project.pytester.run(*begin, "-q", *plugins)
    result.stdout.fnmatch_lines(["1 passed*", "begun: [[][]]"])
