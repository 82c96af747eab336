"""In other people's projects: their files, their plugins, their settings."""

import pytest
from doubles.consumer_project import Project

ALL = "turris, turris_server, turris_time, turris_webhooks"
USES_ALL = (
    "import datetime as dt, os, httpx",
    "from directory import Client, credentials, login, login_async, bearer",
    "def use(turris, server, travel, webhooks):",
    "    turris.agents.add(npn='12345678')",
    "    client = Client(trust_env=False)",
    "    assert client.agents() == ['12345678']",
    "    travel.to_refresh_point(plus=dt.timedelta(milliseconds=1))",
    "    assert client.agents() == ['12345678']",
    "    assert turris.token_requests == 2",
    "    assert httpx.get(turris.base_url + '/.well-known/jwks.json').json()['keys']",
    "    assert webhooks.producer_agreement_executed().body",
    "    client.http.close()",
)
TEST_ALL = (*USES_ALL, f"def test_all({ALL}): use({ALL})")
SHADOW = "MINE = True"


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_users_own_mock_server_is_left_alone(project: Project, mode: str) -> None:
    """A project with a ``mock_server.py`` of its own imports its own, and every fixture works."""
    tests = project.pytester.mkdir("tests")
    (tests / "mock_server.py").write_text(SHADOW)
    (tests / "conftest.py").write_text("import sys; sys.path.insert(0, 'tests')")
    lines = (
        *USES_ALL,
        "import sys",
        f"def test_all({ALL}):",
        f"    use({ALL})",
        "    assert 'mock_server' not in sys.modules or sys.modules['mock_server'].MINE",
        "def test_import():",
        "    import mock_server",
        "    assert mock_server.MINE",
        f"def test_again({ALL}): use({ALL})",
    )
    (tests / "test_project.py").write_text("\n".join(lines))
    project.run_apart(f"--import-mode={mode}", "tests").assert_outcomes(passed=3)


def test_workers_and_random_order(project: Project) -> None:
    """Parallel workers and random order: each has its own server, nothing is shared."""
    project.files(
        *USES_ALL,
        "import pytest, random",
        "@pytest.mark.parametrize('n', range(8))",
        f"def test_all({ALL}, n): use({ALL})",
    )
    result = project.pytester.runpytest_subprocess(
        "-n2", "-p", "randomly", "-p", "no:asyncio", "-W", "error", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=8)


@pytest.mark.parametrize("scope", ["session", "function"])
def test_project_that_freezes_time_itself(project: Project, scope: str) -> None:
    """A freeze over the whole session or each test is moved, servers included."""
    project.files(
        *TEST_ALL,
        f"def test_more({ALL}): use({ALL})",
        conftest="\n".join(
            [
                "import freezegun, pytest",
                f"@pytest.fixture(scope={scope!r}, autouse=True)",
                "def frozen():",
                "    with freezegun.freeze_time('2031-05-04 12:00') as frozen: yield frozen",
            ]
        ),
    )
    project.run_apart().assert_outcomes(passed=2)


def test_disabled_sockets_leave_the_fixtures_in_process(project: Project) -> None:
    """Under ``--disable-socket`` all but the server works, sync and async."""
    project.files(
        *USES_ALL,
        "import asyncio",
        "def test_sync(turris, turris_time, turris_webhooks):",
        "    use(turris, None, turris_time, turris_webhooks)",
        "async def calls():",
        "    async with httpx.AsyncClient(base_url=os.environ['TURRIS_BASE_URL']) as http:",
        "        token = await login_async(http)",
        "        return (await http.get('/v1/agents', headers=bearer(token))).status_code",
        "def test_async(turris, turris_time, socket_enabled): assert asyncio.run(calls()) == 200",
    )
    project.run_apart("--disable-socket").assert_outcomes(passed=2)


def test_disabled_sockets_are_named_where_a_server_is_wanted(project: Project) -> None:
    """The server cannot start without sockets; the error is pytest-socket's own, and no hang."""
    project.files("def test_server(turris_server): pass", "def test_other(turris): pass")
    result = project.run_apart("--disable-socket", "-W", "default")
    result.assert_outcomes(passed=1, errors=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["E*SocketBlockedError: A test tried to use socket.socket.", "ERROR *::test_server - *"]
    )


def test_loopback_may_be_all_that_is_allowed(project: Project) -> None:
    """With ``--allow-hosts=127.0.0.1`` the server works too."""
    project.files(*TEST_ALL)
    project.run_apart("--allow-hosts=127.0.0.1").assert_outcomes(passed=1)


ASYNC = (
    *USES_ALL,
    "import asyncio, pytest",
    "async def calls(turris, url):",
    "    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=5) as http:",
    "        token = await login_async(http)",
    "        assert (await http.get('/v1/agents', headers=bearer(token))).status_code == 200",
)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_pytest_asyncio(project: Project, mode: str) -> None:
    """Async tests of pytest-asyncio use every fixture, in either mode."""
    project.ini("asyncio_default_fixture_loop_scope = function")
    marker = "@pytest.mark.asyncio" if mode == "strict" else ""
    project.files(
        *ASYNC,
        marker,
        f"async def test_all({ALL}):",
        "    async with asyncio.timeout(5):",
        "        await calls(turris, turris.base_url)",
        "    turris_time.advance(hours=2)",
        "    await calls(turris, turris_server.base_url)",
    )
    result = project.pytester.runpytest_subprocess(
        f"--asyncio-mode={mode}", "-p", "no:randomly", "-W", "error", timeout=200
    )
    result.assert_outcomes(passed=1)


def test_anyio_on_asyncio_and_trio(project: Project) -> None:
    """Async tests of anyio use every fixture, on asyncio and on trio."""
    project.files(
        *ASYNC,
        "import anyio",
        "@pytest.mark.anyio",
        f"async def test_all({ALL}):",
        "    with anyio.fail_after(5):",
        "        await calls(turris, turris.base_url)",
        "    turris_time.advance(hours=2)",
        "    await calls(turris, turris_server.base_url)",
    )
    result = project.run_apart("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*test_all?asyncio? PASSED*", "*test_all?trio? PASSED*"])


SLEEPING_TASKS = (
    "import anyio, asyncio, pytest",
    "LONG = 1_000_000",
    "@pytest.mark.asyncio",
    "async def test_asyncio(turris_time):",
    "    before = turris_time.now",
    "    await asyncio.gather(asyncio.sleep(LONG), asyncio.sleep(2 * LONG))",
    "    await asyncio.create_task(asyncio.sleep(LONG))",
    "    async with asyncio.TaskGroup() as group:",
    "        group.create_task(asyncio.sleep(LONG))",
    "    await asyncio.wait([asyncio.create_task(asyncio.sleep(LONG))])",
    "    with pytest.raises(TimeoutError):",
    "        await asyncio.wait_for(asyncio.sleep(2 * LONG), LONG)",
    "    assert (turris_time.now - before).total_seconds() == 6 * LONG",
    "@pytest.mark.anyio",
    "async def test_anyio(turris_time):",
    "    before = turris_time.now",
    "    async with anyio.create_task_group() as group:",
    "        group.start_soon(anyio.sleep, LONG)",
    "    assert (turris_time.now - before).total_seconds() == LONG",
)


@pytest.mark.parametrize("engine", ["freezegun", "time-machine"])
def test_tasks_that_only_sleep_move_the_clock(project: Project, engine: str) -> None:
    """No code of the test is on the stack then: only the plugin that runs the loop."""
    project.ini("asyncio_default_fixture_loop_scope = function", f"turris_time_engine = {engine}")
    project.files(*SLEEPING_TASKS)
    result = project.pytester.runpytest_subprocess("-p", "no:randomly", timeout=100)
    result.assert_outcomes(passed=3)


def test_plugin_can_be_switched_off(project: Project) -> None:
    """``-p no:turris`` takes the fixtures and the guard away."""
    project.files(
        "def test_off(pytestconfig): assert not pytestconfig.pluginmanager.has_plugin('turris')",
        "def test_gone(turris): pass",
    )
    result = project.run("-p", "no:turris")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E*fixture 'turris' not found"])


@pytest.mark.parametrize("plugin", ["turris", "pytest_turris.plugin"])
def test_plugin_can_be_switched_on(
    project: Project, monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    """Without autoload it is loaded by its name or its module, and needs no other plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    project.files(*TEST_ALL)
    result = project.pytester.runpytest_subprocess("-p", plugin, "-W", "error", timeout=200)
    result.assert_outcomes(passed=1)


def test_no_warning_of_ours(project: Project) -> None:
    """Under ``-W error`` every fixture works, and nothing is left open at the end."""
    project.files(*TEST_ALL, "def test_gc(): import gc; gc.collect()")
    result = project.pytester.runpytest_subprocess(
        "-W", "error", "-p", "no:asyncio", "-p", "no:randomly", timeout=200
    )
    result.assert_outcomes(passed=2)
