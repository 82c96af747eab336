"""``--turris-capsule DIR``: a failing test leaves its sandbox, and a passing one nothing."""

import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_turris.core.clock import Clock
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.worlds import World
from pytest_turris.hooks.capsule import leave_capsule

TESTS = """
    import datetime as dt, httpx, os, pytest

    def call(turris):
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        body = {key: os.environ[name] for key, name in names.items()}
        httpx.post(turris.base_url + "/v1/auth/jwt", json=body)

    @pytest.mark.turris(envelope="top_level")
    @pytest.mark.parametrize("npn", ["12345678"])
    def test_fails(turris, turris_time, npn):
        turris_time.advance(dt.timedelta(days=300))
        turris.agents.add(npn=npn)
        call(turris)
        assert turris.token_requests == 7

    def test_fails_at_its_end(turris):
        httpx.get(turris.base_url + "/nowhere")

    def test_passes(turris):
        call(turris)

    @pytest.mark.xfail
    def test_is_expected_to_fail(turris):
        call(turris)
        assert False

    def test_without_a_sandbox():
        assert False
"""


def test_failing_test_leaves_its_sandbox(pytester: pytest.Pytester) -> None:
    """With options, moment and journal, and without secrets; the report names it."""
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("--turris-capsule", "capsules/here", "-p", "no:randomly")
    result.assert_outcomes(failed=2, errors=1, passed=2, xfailed=1)
    files = sorted((pytester.path / "capsules" / "here").iterdir())
    assert len(files) == 2
    text = next(file for file in files if "12345678" in file.name).read_text()
    world = World.read(text.encode())
    assert world.about.endswith("::test_fails[12345678]")
    assert world.options.envelope == "top_level"
    assert world.at - Clock().now() > dt.timedelta(days=290)
    assert "turris_sandbox_secret_" not in text
    sandbox = Sandbox(world.options)
    world.load_into(sandbox)
    assert [agent.npn for agent in sandbox.agents] == ["12345678"]
    assert [exchange.status for exchange in sandbox.journal] == [201]
    result.stdout.fnmatch_lines(["*turris-sandbox serve --load */capsules/here/*12345678*.json"])


def test_runs_without_the_option_import_nothing(pytester: pytest.Pytester) -> None:
    """Nor do runs in which all passes."""
    pytester.makepyfile(
        """
        import sys

        def test_fails(turris):
            assert False

        def test_after():
            assert "pytest_turris.core.worlds" not in sys.modules
            assert "pytest_turris.hooks.capsule" not in sys.modules
        """
    )
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(failed=1, passed=1)


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("test_a", r"test_a.json"),
        ("tests/a.py::test_b[x/../y é]", r"tests-a.py-test_b-x-..-y-[0-9a-f]{8}.json"),
        ("x" * 500, r"x{120}-[0-9a-f]{8}.json"),
        ("../../../etc/passwd", r"..-..-..-etc-passwd-[0-9a-f]{8}.json"),
    ],
)
def test_file_is_named_after_the_test(tmp_path: Path, test: str, name: str) -> None:
    """One file for each test, in that directory, whatever the id has in it."""
    leave_capsule(tmp_path, test, Sandbox())
    (file,) = tmp_path.iterdir()
    assert re.fullmatch(name, file.name)
    assert json.loads(file.read_text())["about"] == test


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The run goes on."""
    (tmp_path / "file").write_text("")
    text = leave_capsule(tmp_path / "file", "test_a", Sandbox())
    assert text.startswith(f"--turris-capsule {tmp_path / 'file'}: cannot write test_a.json: ")


def test_server_opens_it(tmp_path: Path) -> None:
    """And says of which test it is, without what could change a terminal."""
    leave_capsule(tmp_path, "test_a\x1b[31m", Sandbox())
    (file,) = tmp_path.iterdir()
    done = subprocess.run(
        [sys.executable, "-m", "mock_server", "serve", "--port", "0", "--load", file, "--", "true"],
        check=True,
        timeout=200,
        capture_output=True,
        text=True,
    )
    assert f"# {file}: test_a\\x1b[31m\n" in done.stderr


@pytest.mark.parametrize("option", ["--turris-capsule", "--turris-audit-report"])
def test_empty_folder_is_a_mistake(pytester: pytest.Pytester, option: str) -> None:
    """An unset variable of the shell does not mean that the option is not given."""
    result = pytester.runpytest_subprocess(option, "")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*argument {option}: the path is empty; is a variable*"])
