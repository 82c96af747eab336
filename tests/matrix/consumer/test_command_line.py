"""The command line, with whatever versions are installed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mock_server.shell.cli import app

COMMAND = str(Path(sys.executable).with_name("turris-sandbox"))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user of the environment has it."""
    return subprocess.run(
        [COMMAND, *words], capture_output=True, text=True, timeout=60, check=False
    )


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[str]:
    """The help of every command, groups included."""
    context = click.Context(group, info_name=" ".join(words))
    yield group.get_help(context)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield command.get_help(click.Context(command, info_name=" ".join((*words, name))))


def test_every_command_has_help() -> None:
    """Also those that are made of the table of controls."""
    found = list(commands(app, ("turris-sandbox",)))
    assert len(found) > 150
    assert all(text.startswith("Usage: turris-sandbox") for text in found)


def test_a_mistake_is_one_line() -> None:
    """With exit status 2, and without a traceback."""
    for words in (("serve", "--prt", "1"), ("srve",), ("serve", "--port", "99999"), ("add",)):
        done = run(*words)
        assert done.returncode == 2, (words, done)
        assert len(done.stderr.splitlines()) == 1, (words, done.stderr)
        assert "Traceback" not in done.stderr


def test_what_needs_no_server_prints() -> None:
    """Versions, texts and tables."""
    assert run("--version").stdout.startswith("turris-sandbox, version ")
    assert "Commands" in run("--help").stdout
    assert json.loads(run("openapi").stdout)["openapi"].startswith("3.1")
    assert "documented" in run("fidelity").stdout
    assert "WH-50" in run("explain", "WH-50").stdout


def test_a_server_is_controlled() -> None:
    """By the command that it runs, through its environment."""
    serve = ("serve", "--port", "0", "--log-level", "error", "--", COMMAND)
    done = run(*serve, "add", "agents", "npn=12345678")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["agent"]["npn"] == "12345678"
    assert run(*serve, "health").returncode == 0
