"""Ctrl-C in a run of pytest: it ends with its summary, whatever is left to tear down."""

import signal
import subprocess
from collections.abc import Iterator

import pytest
from doubles.served_sandbox import Running, serving

REFUSED = "import httpx\ndef test(turris):\n    httpx.get(turris.base_url + '/v1/nonsense')\n"


@pytest.fixture
def own() -> Iterator[Running]:
    """A server that only one test uses."""
    with serving(log=subprocess.DEVNULL) as running:
        yield running
        running.process.send_signal(signal.SIGCONT)


@pytest.fixture(autouse=True)
def _nothing_else_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the consumer's suite without other plugins of the environment."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, source: str, *arguments: str) -> pytest.RunResult:
    """Run a test that interrupts the run."""
    pytester.makepyfile(source)
    options = ("-p", "turris", "-p", "no:cacheprovider", *arguments)
    return pytester.runpytest_subprocess(*options, timeout=120)


def ended_in_order(result: pytest.RunResult) -> bool:
    """Whether pytest ended as after any Ctrl-C."""
    said = result.stdout.str() + result.stderr.str()
    return (
        result.ret == pytest.ExitCode.INTERRUPTED
        and "! KeyboardInterrupt !" in said
        and "Traceback (most recent" not in said
    )


@pytest.mark.parametrize("number", ["SIGKILL", "SIGSTOP"])
def test_shared_server_that_is_gone(
    own: Running, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    """A line says that it does not answer; nothing waits as long as a test would."""
    monkeypatch.setenv("TURRIS_CONTROL_TOKEN", own.variables["TURRIS_CONTROL_TOKEN"])
    test = (
        "import os, signal, time",
        "def test(turris):",
        f"    os.kill({own.process.pid}, signal.{number})",
        "    time.sleep(0.2)",
        "    raise KeyboardInterrupt",
    )
    url = own.variables["TURRIS_BASE_URL"]
    result = run(pytester, "\n".join(test), "--turris-url", url)
    assert ended_in_order(result), result.stdout.str() + result.stderr.str()
    result.stdout.fnmatch_lines([f"turris: --turris-url: nothing answers at {url}: *"])


def test_shared_server_that_answers(
    own: Running, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox is taken away as usual, and nothing is said."""
    monkeypatch.setenv("TURRIS_CONTROL_TOKEN", own.variables["TURRIS_CONTROL_TOKEN"])
    test = "def test(turris): raise KeyboardInterrupt"
    result = run(pytester, test, "--turris-url", own.variables["TURRIS_BASE_URL"])
    assert ended_in_order(result), result.stdout.str() + result.stderr.str()
    result.stdout.no_fnmatch_line("turris: *")


@pytest.mark.parametrize("end", ["raise KeyboardInterrupt", "import pytest; pytest.exit('enough')"])
def test_refusal_before_the_interrupt(pytester: pytest.Pytester, end: str) -> None:
    """The test that would fail for it is over, so nothing is raised."""
    result = run(pytester, f"{REFUSED}    {end}")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "Traceback (most recent" not in result.stdout.str() + result.stderr.str()
    assert "Complaint" not in result.stderr.str()


def test_late_request_after_the_interrupt(pytester: pytest.Pytester) -> None:
    """What a receiver asked for after its test is a line of the end."""
    test = (
        "from pytest_turris.fixtures import late_requests",
        "def test(turris, request):",
        "    late_requests.late_visits = lambda: ['a visit']",
        "    late_requests.found_late = lambda visits: f'there was {visits[0]}'",
        "    late_requests.watch_for_late_requests(request.session)",
        "    raise KeyboardInterrupt",
    )
    result = run(pytester, "\n".join(test))
    assert ended_in_order(result), result.stdout.str() + result.stderr.str()
    result.stdout.fnmatch_lines(["turris: there was a visit"])
