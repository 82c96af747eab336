"""The guard in a run: a test that tries to reach the real Turris fails, even if it hides that."""

import pytest
from doubles.consumer_project import Project

USES_TURRIS = "def test_uses(turris): pass"
TRIES = (
    "import contextlib, socket, pytest",
    "def reach(): socket.getaddrinfo('public.api.live.turrisfi.com', 443)",
    "def swallow():",
    "    with contextlib.suppress(Exception): reach()",
)
WORDS = "turris: this test tried to reach the real Turris (public.api.live.turrisfi.com) and *"


def test_test_without_fixture_cannot_reach_turris(project: Project) -> None:
    """A test that forgot the fixture fails, and the text names the fixtures."""
    project.files(*TRIES, USES_TURRIS, "def test_forgot(): reach()")
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    words = (
        "this test tried to reach the real Turris at public.api.live.turrisfi.com. Ask for the "
        "fixture 'turris' (httpx, httpx2 and requests are then answered in process) or "
        "'turris_server' (for any other client: point its base URL at turris_server.base_url)"
    )
    result.stdout.fnmatch_lines([f"E*RealHostError: {words}"])


def test_swallowed_attempt_fails_too(project: Project) -> None:
    """Code that catches everything does not hide the attempt."""
    project.files(*TRIES, USES_TURRIS, "def test_swallows(): swallow()", "def test_next(): pass")
    result = project.run()
    result.assert_outcomes(passed=2, failed=1)
    words = "swallowed the error. Ask for the fixture 'turris' (*) or 'turris_server' (*)"
    result.stdout.fnmatch_lines(["*_ test_swallows _*", WORDS + words], consecutive=True)


def test_test_with_the_fixture_is_guarded_against_other_clients(project: Project) -> None:
    """``turris`` answers three libraries; for other clients the error names the server fixture."""
    project.files(
        "import urllib.request, pytest",
        "def test_urllib(turris):",
        "    with pytest.raises(RuntimeError, match='turris_server'):",
        "        urllib.request.urlopen(turris.base_url, timeout=1)",
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    words = "The fixture 'turris' answers *requests in process, but not urllib.request. Fix: *"
    result.stdout.fnmatch_lines([f"turris: this test tried to reach the real Turris *{words}"])


def test_test_with_a_server_is_told_where_it_answers(project: Project) -> None:
    """The fixture ``turris_server`` is there already: the client has another address."""
    project.files(*TRIES, "def test_server(turris_server): reach()")
    result = project.run()
    result.assert_outcomes(failed=1)
    words = "The fixture 'turris_server' answers at another address. Fix: *"
    result.stdout.fnmatch_lines([f"E*RealHostError: this test tried *. {words}"])


def test_attempt_in_a_fixture_is_that_tests(project: Project) -> None:
    """An attempt in set-up or teardown is reported for its own test, not for the next."""
    project.files(
        *TRIES,
        USES_TURRIS,
        "@pytest.fixture",
        "def early(): swallow()",
        "@pytest.fixture",
        "def late(): yield; swallow()",
        "@pytest.fixture",
        "def loud(): reach()",
        "def test_early(early): raise AssertionError('not reached')",
        "def test_late(late): pass",
        "def test_loud(loud): raise AssertionError('not reached')",
        "def test_next(): pass",
    )
    result = project.run("-rA")
    result.assert_outcomes(passed=3, errors=3)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_early*", WORDS], consecutive=True)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_late*", WORDS], consecutive=True)
    result.stdout.fnmatch_lines(["PASSED *::test_next"])


def test_other_hosts_are_left_alone(project: Project) -> None:
    """Names that are not Turris' are resolved as in any run."""
    project.files(
        "import socket",
        USES_TURRIS,
        "def test_other(): assert socket.getaddrinfo('127.0.0.1', 80)",
    )
    project.run().assert_outcomes(passed=2)


@pytest.mark.parametrize(("test", "watched"), [("def test_x(): pass", False), (USES_TURRIS, True)])
def test_watch_is_for_runs_that_use_turris(project: Project, test: str, watched: bool) -> None:
    """A run without any turris test has neither guard nor hooks of this plugin."""
    project.files(
        test,
        "def test_watched(pytestconfig):",
        f"    assert pytestconfig.pluginmanager.has_plugin('turris_watch') is {watched}",
    )
    project.run().assert_outcomes(passed=2)


def test_deselected_turris_tests_do_not_count(project: Project) -> None:
    """The tests that run decide, not those that were collected."""
    project.files(
        USES_TURRIS,
        "def test_watched(pytestconfig):",
        "    assert not pytestconfig.pluginmanager.has_plugin('turris_watch')",
    )
    project.run("-k", "watched").assert_outcomes(passed=1, deselected=1)


def test_sockets_are_put_back_after_the_run(project: Project) -> None:
    """The guard ends with its run."""
    import socket

    before = socket.getaddrinfo, dict(vars(socket.socket))
    project.files(USES_TURRIS)
    project.run().assert_outcomes(passed=1)
    assert (socket.getaddrinfo, dict(vars(socket.socket))) == before


SECOND_TEST_REACHES = (
    "import socket, pytest",
    USES_TURRIS,
    "@pytest.mark.enable_socket",
    "@pytest.mark.parametrize('way', ['resolve', 'connect'])",
    "def test_reaches(way):",
    "    address = 'public.api.live.turrisfi.com', 443",
    "    if way == 'resolve': socket.getaddrinfo(*address)",
    "    with socket.socket() as plain: plain.connect(address)",
)


@pytest.mark.parametrize("switch", ["--disable-socket", "--allow-hosts=127.0.0.1", "-v"])
def test_pytest_socket_does_not_take_the_guard_away(project: Project, switch: str) -> None:
    """pytest-socket puts sockets back after each test; the guard stays."""
    project.files(*SECOND_TEST_REACHES)
    result = project.run_apart(switch)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["E*RealHostError: this test tried *"] * 2)


def test_guard_does_not_take_sockets_away(project: Project) -> None:
    """A guard that comes while sockets are off does not keep them off afterwards."""
    project.files(
        "import socket, pytest",
        "def test_late(request): request.getfixturevalue('turris')",
        "@pytest.mark.enable_socket",
        "def test_allowed(): assert socket.getaddrinfo('127.0.0.1', 80)",
        "@pytest.mark.enable_socket",
        "def test_reaches(): socket.getaddrinfo('public.api.live.turrisfi.com', 443)",
    )
    result = project.run_apart("--disable-socket")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E*RealHostError: this test tried *"])
