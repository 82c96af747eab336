"""Parallel workers, and runs that repeat: each worker has its server, each test its sandbox."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO

import pytest
from doubles.consumer_project import Project

XDIST = ("-p", "turris", "-p", "xdist", "-p", "no:cacheprovider", "-W", "error")
TWO = ("--numprocesses=2",)
MAX_SECONDS = 200
USES_BOTH = (
    "import pytest",
    "from directory import Client",
    "def use(turris):",
    "    turris.agents.add(npn='12345678')",
    "    client = Client(trust_env=False)",
    "    assert client.agents() == ['12345678']",
    "    client.http.close()",
    "    assert turris.token_requests == 1",
    "@pytest.mark.xdist_group('one')",
    "@pytest.mark.parametrize('n', range(3))",
    "def test_in_process(turris, n): use(turris)",
    "class TestServer:",
    "    @pytest.mark.parametrize('n', range(3))",
    "    def test_on_a_socket(self, turris_server, n): use(turris_server.sandbox)",
)


@pytest.fixture(autouse=True)
def _nothing_else_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No plugin of the environment slows the workers down."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.parametrize(
    ("mode", "workers", "passed"),
    [
        *[(mode, TWO, 6) for mode in ("load", "loadscope", "loadfile", "loadgroup", "worksteal")],
        ("each", ("--tx=2*popen",), 12),
    ],
)
def test_every_way_to_distribute(
    project: Project, mode: str, workers: tuple[str, ...], passed: int
) -> None:
    """However tests are spread over workers, none sees another's sandbox."""
    project.files(*USES_BOTH)
    project.pytester.runpytest_subprocess(
        *XDIST, *workers, f"--dist={mode}", timeout=MAX_SECONDS
    ).assert_outcomes(passed=passed)


TELLS_SERVERS = """
def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.stats["passed"]
    for server in sorted({dict(report.user_properties)["server"] for report in reports}):
        terminalreporter.write_line(server)
"""


def test_each_worker_has_its_own_server(project: Project) -> None:
    """A worker's tests share one server, on a free port."""
    project.files(
        "import os, pytest",
        "@pytest.mark.parametrize('n', range(4))",
        "def test_server(turris_server, n, record_property):",
        "    worker = os.environ['PYTEST_XDIST_WORKER']",
        "    record_property('server', f'{worker} at {turris_server.base_url}')",
        conftest=TELLS_SERVERS,
    )
    result = project.pytester.runpytest_subprocess(
        *XDIST, *TWO, "--maxschedchunk=1", timeout=MAX_SECONDS
    )
    result.assert_outcomes(passed=4)
    told = [line.partition(" at ") for line in result.outlines if line.startswith("gw")]
    assert [worker for worker, _, _ in told] == ["gw0", "gw1"]
    assert len({url for _, _, url in told}) == 2


def test_failure_of_a_worker_tells_its_exchanges(project: Project) -> None:
    """A worker's exchanges and its attempts to reach Turris are in the report of the whole run."""
    project.files(
        "import contextlib, httpx, socket",
        "def test_fails(turris):",
        "    httpx.get(turris.base_url + '/v1/agents')",
        "    assert False",
        "def test_reaches(turris):",
        "    with contextlib.suppress(Exception):",
        "        socket.getaddrinfo('public.api.live.turrisfi.com', 443)",
    )
    result = project.pytester.runpytest_subprocess(*XDIST, *TWO, timeout=MAX_SECONDS)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*- turris exchanges -*", "*GET /v1/agents*401*"])
    result.stdout.fnmatch_lines(["turris: this test tried to reach the real Turris *"])


@contextmanager
def looping(project: Project) -> Iterator[IO[str]]:
    """What a run with ``--looponfail`` writes, line by line, until ``max_seconds`` have passed."""
    command = [sys.executable, "-u", "-m", "pytest", "-p", "turris", "-p", "xdist"]
    process = subprocess.Popen(
        [*command, "-p", "xdist.looponfail", "--looponfail"],
        cwd=project.pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # A process in the background of a shell ignores it, and its children too.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - takes no lock
    )
    deadline = threading.Timer(MAX_SECONDS, process.kill)
    deadline.start()
    try:
        assert process.stdout
        yield process.stdout
    finally:
        deadline.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=MAX_SECONDS)


def test_loop_on_failure(project: Project) -> None:
    """``--looponfail`` runs what failed after each change, and then everything."""
    project.files("def test_first(turris_server): pass", "def test_second(turris): assert 0")
    with looping(project) as lines:
        assert any("1 failed, 1 passed" in line for line in lines)
        assert any("waiting for changes" in line for line in lines)
        project.files("def test_first(turris_server): pass", "def test_second(turris): pass")
        assert any("1 passed" in line for line in lines)
        assert any("2 passed" in line for line in lines)


RUNS_IN_THREADS = """
def pytest_configure(config):
    config.pluginmanager.register(object(), "run-parallel")
    for name in ("thread_unsafe(reason)", "force_parallel_threads(n)"):
        config.addinivalue_line("markers", name)
"""


def test_threads_do_not_share_a_sandbox_by_accident(project: Project) -> None:
    """pytest-run-parallel learns which tests need a single thread."""
    project.files(
        "import pytest",
        "def reason(request):",
        "    marker = request.node.get_closest_marker('thread_unsafe')",
        "    return marker and marker.kwargs['reason']",
        "def test_counts(turris, request): assert 'share one Turris sandbox' in reason(request)",
        "def test_other(request): assert reason(request) is None",
        "@pytest.mark.force_parallel_threads(4)",
        "def test_meant(turris, request): assert reason(request) is None",
        conftest=RUNS_IN_THREADS,
    )
    project.run("-p", "turris", "--strict-markers").assert_outcomes(passed=3)
