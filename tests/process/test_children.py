"""What child processes find in the environment: another value than this process has."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.environment import NO_SERVER
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.process.children import ChildrenFind

SHOW = [sys.executable, "-c", "import os; print(os.environ.get('OURS'), os.environ.get('OTHER'))"]


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A variable that children find changed."""
    monkeypatch.setenv("OURS", "https://real.example")
    with ChildrenFind("OURS", "https://real.example", "https://none.invalid"):
        yield


def shown(env: Any = None) -> list[str]:  # noqa: ANN401 - mappings of text or of bytes
    """What a child finds."""
    return subprocess.run(
        SHOW,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()


def test_this_process_keeps_its_value() -> None:
    """Only children are meant."""
    assert os.environ["OURS"] == "https://real.example"


@pytest.mark.parametrize(
    "environment",
    [
        lambda: None,
        lambda: os.environ,
        lambda: {**os.environ},
        lambda: os.environ | {"MORE": "1"},
        lambda: dict(os.environb),
    ],
    ids=["inherited", "os.environ", "unpacked", "merged", "bytes"],
)
def test_child_finds_the_other_value(environment: Callable[[], object]) -> None:
    """Whether it inherits the environment or gets a copy."""
    assert shown(environment())[0] == "https://none.invalid"


def test_value_under_another_name_is_changed_too() -> None:
    """A URL that was built from it leads nowhere either."""
    environment = {**os.environ, "OTHER": os.environ["OURS"] + "/v1"}
    assert shown(environment) == ["https://none.invalid", "https://none.invalid/v1"]


def test_position_of_the_parameter_does_not_matter() -> None:
    """``Popen`` also takes it by position."""
    with subprocess.Popen(
        SHOW, -1, None, None, subprocess.PIPE, None, None, True, False, None, {**os.environ}
    ) as child:
        assert child.stdout is not None
        assert child.stdout.read().split()[0] == b"https://none.invalid"


def test_positional_none_is_inherited() -> None:
    """As without a position: the child finds the environment of the process, changed."""
    with subprocess.Popen(
        SHOW, -1, None, None, subprocess.PIPE, None, None, True, False, None, None
    ) as child:
        assert child.stdout is not None
        assert child.stdout.read().split()[0] == b"https://none.invalid"


def test_shell_finds_it() -> None:
    """What the system starts inherits the environment of the process."""
    with os.popen("echo $OURS") as output:  # noqa: S605, S607 - that is it
        assert output.read().strip() == "https://none.invalid"


def test_spawned_worker_finds_it() -> None:
    """A process of ``multiprocessing`` that starts afresh inherits it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(os.getenv, "OURS").result() == "https://none.invalid"


def test_all_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards children find what this process has."""
    before = subprocess.Popen.__init__
    monkeypatch.setenv("OURS", "again")
    with ChildrenFind("OURS", "again", "changed"):
        assert shown()[0] == "changed"
    assert subprocess.Popen.__init__ is before
    monkeypatch.setenv("OURS", "afterwards")
    assert shown()[0] == "afterwards"


@pytest.mark.parametrize(
    ("environment", "counted"),
    [(lambda: None, 1), (lambda: {**os.environ}, 1), (lambda: {"OTHER": "1"}, 0)],
    ids=["inherited", "copied", "without it"],
)
def test_children_that_find_another_value_are_counted(
    environment: Callable[[], Any], counted: int
) -> None:
    """Those that do not look for a sandbox are not."""
    before = ChildrenFind.started
    shown(environment())
    assert ChildrenFind.started - before == counted


def test_positional_environment_is_counted() -> None:
    """As that by keyword."""
    before = ChildrenFind.started
    with subprocess.Popen(
        SHOW, -1, None, None, subprocess.PIPE, None, None, True, False, None, {**os.environ}
    ):
        assert ChildrenFind.started - before == 1


def base_url_of_a_child() -> str:
    """The base URL that a child finds."""
    show = "import os; print(os.environ['TURRIS_BASE_URL'])"
    done = subprocess.run([sys.executable, "-c", show], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_child_of_a_test_in_process_finds_no_real_host(turris: Sandbox) -> None:
    """Without a server it gets an address that is never resolved, and says what is missing."""
    assert os.environ["TURRIS_BASE_URL"] == turris.base_url
    assert base_url_of_a_child() == NO_SERVER


def test_child_of_a_test_with_a_server_finds_the_server(turris_server: Server) -> None:
    """With a server it gets the server's address."""
    assert base_url_of_a_child() == turris_server.base_url
