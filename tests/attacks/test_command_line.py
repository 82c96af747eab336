"""``turris-sandbox attack``: a receiver in any language, from the shell."""

import contextlib
import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from doubles.receivers.bare_server import BareServer
from doubles.receivers.good_receiver import ENTITY, KEY

from mock_server.shell.cli import app
from pytest_turris.attacks.catalogue import find_attack

EXPRESS = Path(__file__).parents[2] / "docs" / "examples" / "receivers" / "express"
BROKEN = Path(__file__).parent / "node" / "parses_first.js"
ENVIRONMENT = {"TURRIS_WEBHOOK_SECRET": KEY, "TURRIS_UPSTREAM_ENTITY_ID": ENTITY, "COLUMNS": "160"}


def attack(*args: str) -> Any:
    """Run the command."""
    return CliRunner().invoke(app, ["attack", *args], env=ENVIRONMENT)


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Express, installed once for the session, with both receivers beside it."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not on this machine")
    directory = tmp_path_factory.mktemp("express")
    for file in (EXPRESS / "package.json", EXPRESS / "receiver.js", BROKEN):
        shutil.copy(file, directory)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        pytest.skip(f"npm could not install Express: {done.stderr[-300:]}")
    return directory


@contextlib.contextmanager
def serving(directory: Path, file: str) -> Iterator[str]:
    """A receiver in Node; its URL."""
    process = subprocess.Popen(
        ["node", file],  # noqa: S607 - found on the path, as the skip says
        cwd=directory,
        env=os.environ | ENVIRONMENT | {"PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().split()[-1]
            yield f"http://127.0.0.1:{port}/webhooks"
        finally:
            process.kill()


@pytest.mark.installs
def test_good_express_receiver_withstands_the_full_profile(modules: Path, tmp_path: Path) -> None:
    """The documented Express receiver fails no ``must``, and is never said to pass unobserved."""
    file = tmp_path / "verdicts.json"
    with serving(modules, "receiver.js") as url:
        done = attack(url, "--profile", "full", "--json", str(file))
    assert done.exit_code == 0, done.output
    verdicts = json.loads(file.read_text())["verdicts"]
    outcomes = {verdict["id"]: verdict["outcome"] for verdict in verdicts}
    assert "passed" not in outcomes.values()
    found = {id_ for id_, outcome in outcomes.items() if outcome in ("failed", "warned", "noted")}
    assert found == {"WH-70", "WH-99"}  # JSON.parse takes the last of repeated members


@pytest.mark.installs
def test_express_receiver_that_parses_first_is_caught(modules: Path) -> None:
    """Express' JSON parser before the verification is found, and the exit status says so."""
    with serving(modules, "parses_first.js") as url:
        done = attack(url)
    assert done.exit_code == 1
    for id_ in ("WH-50", "WH-53", "WH-54"):
        assert f"{id_}-" in done.output
    assert KEY not in done.output


def test_no_key_is_a_usage_error() -> None:
    """Without a key nothing is sent."""
    done = attack("http://127.0.0.1:9/", "--secret-env", "TURRIS_NO_SUCH_VARIABLE")
    assert (done.exit_code, "no signing key" in done.output) == (2, True)


def test_other_machines_are_refused() -> None:
    """A receiver elsewhere is not attacked."""
    done = attack("http://192.0.2.1/webhooks")
    assert (done.exit_code, "not this machine" in done.output) == (2, True)


def test_silence_is_a_usage_error() -> None:
    """A port where nobody listens gives one line, not a hundred failures."""
    with BareServer().open() as server:
        url = server.url
    done = attack(url)
    assert (done.exit_code, "nothing listens at 127.0.0.1" in done.output) == (2, True)


@pytest.fixture
def lenient() -> Iterator[str]:
    """The URL of a server that minds the case of header names (WH-32)."""
    with BareServer("WH-32").open() as server:
        yield server.url


@pytest.fixture
def two_attacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile of two attacks: a server in Python takes minutes for all."""
    both = tuple(map(find_attack, ("WH-02", "WH-32")))
    monkeypatch.setattr("mock_server.attacking.run.profile", lambda _: both)


@pytest.mark.usefixtures("two_attacks")
def test_what_is_ignored_fails_nothing(lenient: str) -> None:
    """A finding names the option that relaxes it, which gives the reason a place in the table."""
    found = attack(lenient)
    assert (found.exit_code, "--ignore 'WH-32=why this is fine'" in found.output) == (1, True)
    assert "@pytest.mark" not in found.output
    done = attack(lenient, "--ignore", "WH-32=the proxy writes them")
    assert (done.exit_code, "the proxy writes them" in done.output) == (0, True)
    assert "1 ignored" in done.output


@pytest.mark.parametrize("ignore", ["WH-32", "WH-32=", "WH-3=x"])
def test_ignoring_needs_an_attack_and_a_reason(ignore: str) -> None:
    """Neither is left out."""
    done = attack("http://127.0.0.1:9/", "--ignore", ignore)
    assert done.exit_code == 2
    assert "why this is fine" in done.output or "there is no check 'WH-3'" in done.output


@pytest.mark.usefixtures("two_attacks")
def test_verdicts_that_cannot_be_written_are_told(
    lenient: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, after the table: the disk may be full by then."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mock_server.attacking.report.AttackReport.write", full)
    done = attack(lenient, "--json", str(tmp_path / "verdicts.json"))
    assert done.exit_code == 1  # a must failed
    assert "WH-32-header-name-casing" in done.output
    assert "No space left on device" in done.output
