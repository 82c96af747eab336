"""A mistake in a command line is one line, whichever command it is."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from mock_server.shell.cli import app
from mock_server.shell.mistakes import fail


def commands(group: click.Group, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command below a group with its words."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command
        yield (*before, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *before, name)


INCOMPLETE = [
    *(words for words, one in commands(app) if any(param.required for param in one.params)),
    ("webhooks", "register", "http://127.0.0.1:1/w"),
]


@pytest.mark.parametrize("words", INCOMPLETE, ids=" ".join)
def test_what_is_missing_is_one_line(words: tuple[str, ...]) -> None:
    """Also where click lists the values that may be given, each on a line with a tab."""
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert result.output.startswith("turris-sandbox: Missing ")
    assert (result.output.count("\n"), "\\t" in result.output) == (1, False), result.output


def test_a_reason_with_several_lines_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Such as that of an error, or a path with a line break in it."""
    with pytest.raises(click.exceptions.Exit):
        fail("--payload a\n b: it is not JSON")
    assert capsys.readouterr().err == "turris-sandbox: --payload a b: it is not JSON\n"
