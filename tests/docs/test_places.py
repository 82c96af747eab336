"""Everything that a user can name has its place: fixtures, options of pytest, commands and theirs.

``test_site`` holds checks, options and public names against the built pages, ``test_errors`` the
exceptions, and ``test_pages`` the table of the options.
"""

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mock_server.shell.cli import app
from pytest_turris import plugin

ROOT = Path(__file__).parents[2]
FIXTURES = (ROOT / "docs/reference/fixtures.md").read_text()
COMMANDS = (ROOT / "docs/reference/command-line.md").read_text()
CONTROLS = (ROOT / "docs/reference/control-api.md").read_text()
GROUP = click.Context(app)


def words(command: click.Command, path: str) -> Iterator[str]:
    """What one enters for a command and for each one below it."""
    if not isinstance(command, click.Group):
        yield path
        return
    if command.invoke_without_command:
        yield path
    for name, below in command.commands.items():
        yield from words(below, f"{path} {name}")


def unplaced(commands: dict[str, click.Command]) -> list[str]:
    """Commands without a section or a control, and options that no line of the page names."""
    missing = []
    for name, command in commands.items():
        if f"## `turris-sandbox {name}" not in COMMANDS:
            entered = [f"turris-sandbox {entry}" for entry in words(command, name)]
            missing += [entry for entry in entered if entry not in CONTROLS]
            continue
        flags = [flag for one in command.params for flag in one.opts if flag.startswith("--")]
        missing += [f"{name} {one}" for one in flags if not re.search(rf"{one}\b", COMMANDS)]
    return missing


def test_every_fixture_has_a_section() -> None:
    """Under its own name."""
    kinds = {type(member) for member in vars(plugin).values()}
    fixture = next(kind for kind in kinds if kind.__name__ == "FixtureFunctionDefinition")
    names = [name for name, one in vars(plugin).items() if isinstance(one, fixture)]
    headings = " ".join(re.findall(r"^## (.*)", FIXTURES, re.MULTILINE))
    assert len(names) > 5
    assert [name for name in names if f"`{name}`" not in headings] == []


def test_the_marker_and_its_keywords_are_on_the_pages() -> None:
    """Options have their page; what is not an option is with the fixtures."""
    assert "marker `turris`" in (ROOT / "docs/reference/options.md").read_text()
    assert "@pytest.mark.turris(ignore=" in FIXTURES


def test_every_option_of_pytest_is_on_the_page() -> None:
    """The search finds those that the plugin adds."""
    flags = re.findall(r'"(--turris-[a-z-]+)', inspect.getsource(plugin))
    assert "--turris-url" in flags
    assert [flag for flag in flags if flag not in FIXTURES] == []


def test_every_command_and_option_is_on_a_page() -> None:
    """Each has a section, or is one of the controls, which have a table."""
    commands = {
        name: command
        for name in app.list_commands(GROUP)
        if (command := app.get_command(GROUP, name))
    }
    assert {"serve", "attack", "clock"} <= set(commands)
    assert unplaced(commands) == []


def test_a_command_without_a_place_is_found() -> None:
    """So is an option: the search can fail."""
    one = click.Command("serve", params=[click.Option(["--no-such-flag"])])
    group = click.Group("no-such", commands={"thing": click.Command("thing")})
    assert unplaced({"serve": one, "no-such": group}) == [
        "serve --no-such-flag",
        "turris-sandbox no-such thing",
    ]


def test_the_pythons_of_the_package_are_those_of_the_matrix() -> None:
    """An index shows no version with which nothing was run, and hides none."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    named = re.findall(r"Python :: (\d\.\d+)", " ".join(classifiers))
    rows = (ROOT / "docs/reference/compatibility.md").read_text()
    assert named == re.findall(r"^\| Python (\d\.\d+) \|", rows, re.MULTILINE)
    assert len(named) > 2


@pytest.mark.parametrize(
    "extra",
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"],
)
def test_every_extra_is_explained(extra: str) -> None:
    """In the README, which an index of packages shows."""
    assert f"| `{extra}` |" in (ROOT / "README.md").read_text()
