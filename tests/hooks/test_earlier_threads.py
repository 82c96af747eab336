"""A request of a thread that ran before a test is told apart from the test's own."""

import pytest
from doubles.consumer_project import Project

LEAVES = (
    "import contextlib, os, socket, threading, httpx",
    "from concurrent.futures import ThreadPoolExecutor",
    "GO, DONE = threading.Event(), threading.Event()",
    "def let_it_send():",
    "    GO.set()",
    "    assert DONE.wait(20)",
    "def later(work):",
    "    def run():",
    "        GO.wait(20)",
    "        with contextlib.suppress(Exception): work()",
    "        DONE.set()",
    "    threading.Thread(target=run, name='poller').start()",
    "def reach(): socket.getaddrinfo('public.api.live.turrisfi.com', 443)",
)
WHO = "the thread 'poller', started during test_project.py::test_leaves,"


def test_an_attempt_of_an_earlier_thread_names_it(project: Project) -> None:
    """And the test that started it; the advice is for that test first."""
    project.files(
        *LEAVES,
        "def test_leaves(turris): later(reach)",
        "def test_innocent(): let_it_send()",
    )
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    words = (
        f"turris: {WHO} tried to reach the real Turris (public.api.live.turrisfi.com) and "
        "swallowed the error. It ran before this test began. Fix: if another test left it behind, "
        "stop it and join it before that test ends; *"
    )
    result.stdout.fnmatch_lines(["*_ test_innocent _*", words], consecutive=True)


def test_the_error_in_an_earlier_thread_names_it(project: Project) -> None:
    """What is raised in the thread itself does not blame the test that runs."""
    project.files(
        "def test_leaves(turris): later(tell)",
        "def test_innocent(): let_it_send()",
        "def tell():",
        "    try: reach()",
        "    except RuntimeError as error: print(error)",
        *LEAVES,
    )
    result = project.run("-s")
    result.stdout.fnmatch_lines([f"*{WHO} tried to reach the real Turris at *"])


def test_the_tests_own_attempt_comes_first(project: Project) -> None:
    """The advice is for this test, whatever another thread does meanwhile."""
    project.files(
        *LEAVES,
        "def test_leaves(turris): later(reach)",
        "def test_both():",
        "    let_it_send()",
        "    with contextlib.suppress(Exception): reach()",
    )
    result = project.run()
    result.stdout.fnmatch_lines(["turris: this test tried to reach the real Turris *"])


@pytest.mark.parametrize("body", ["let_it_send()", "let_it_send(); assert False"])
def test_a_failing_test_tells_what_earlier_threads_sent(project: Project, body: str) -> None:
    """Whether it fails because of such a request, or while there was one."""
    project.files(
        *LEAVES,
        "def test_leaves(turris):",
        "    url = turris.base_url + '/v1/nope'",
        "    later(lambda: httpx.get(url))",
        f"def test_innocent(turris): {body}",
    )
    result = project.run()
    result.stdout.fnmatch_lines(
        [
            "*- turris threads -*",
            f"{WHO} sent GET /v1/nope",
            "these requests count for this test. Fix: if another test left the thread behind, *",
        ]
    )


def test_a_pool_that_outlives_its_test_goes_on(project: Project) -> None:
    """Its threads look like those that a test left behind, and their requests are answered."""
    project.files(
        *LEAVES,
        "POOL = ThreadPoolExecutor(1)",
        "def status(url): return POOL.submit(httpx.get, url).result().status_code",
        "def test_first(turris): assert status(turris.base_url + '/v1/agents') == 401",
        "def test_second(turris): assert status(turris.base_url + '/v1/agents') == 401",
        "def test_last(): POOL.shutdown()",
    )
    result = project.run()
    result.assert_outcomes(passed=3)
    result.stdout.no_fnmatch_line("*turris threads*")
