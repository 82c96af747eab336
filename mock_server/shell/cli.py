"""``turris-sandbox``: finds a command, and reports its mistakes in one line."""

import os
import re
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from mock_server.exit_status import INTERRUPTED, NOTHING_SENT, exit_help
from mock_server.shell.commands import COMMANDS
from mock_server.shell.groups import SuggestingGroup, few_meant, meant
from mock_server.shell.mistakes import say_mistake
from mock_server.shell.printing import say

_NAME = "turris-sandbox"
_COMPLETING = "_TURRIS_SANDBOX_COMPLETE"


class LazyCommands(SuggestingGroup):
    """The commands of the table; a module is imported when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        from mock_server.controlling.commands import command_names

        return list(dict.fromkeys((*(row.name for row in COMMANDS), *command_names())))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        for row in COMMANDS:
            if row.name == cmd_name:
                module, _, attribute = row.home.partition(":")
                command: click.Command = getattr(import_module(module), attribute)
                return command
        from mock_server.controlling.commands import find_command

        return find_command(cmd_name)

    def suggestion(self, ctx: click.Context, args: list[str]) -> str:
        """The commands that begin with the word, or have one like it, or are about it.

        A second word must begin like it, too: 'clear' resembles 'learn' by its end only.
        """
        from difflib import get_close_matches

        from mock_server.controlling.commands import first_words

        firsts = first_words()
        word, following = args[0], args[1:2]
        if word not in firsts and (hint := self.begun(ctx, word)):
            return hint
        alike = [second for second in firsts if second.startswith(word[:1])]
        for second in get_close_matches(word, alike, n=1, cutoff=0.7):  # 'agent' is as good
            found = [first for first in firsts[second] if [first] == following] or firsts[second]
            return meant([f"{first} {second}" for first in found])
        return few_meant(_about(word)) or super().suggestion(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table without importing a command."""
        del ctx
        from mock_server.controlling.commands import command_names

        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.summary) for row in COMMANDS])
        with formatter.section("Controls of a running sandbox"):
            own = {row.name for row in COMMANDS}
            formatter.write_dl([pair for pair in command_names().items() if pair[0] not in own])

    def main(self, *args: Any, **more: Any) -> NoReturn:  # noqa: ANN401 - click's own
        """Run a command line; a mistake in it is one line, and exit status 2."""
        if _COMPLETING in os.environ:
            # Before click looks for the class of bash.
            import_module("mock_server.shell.completion.command")
        more["prog_name"] = _NAME
        more["standalone_mode"] = False
        try:
            status = super().main(*args, **more)
        except click.ClickException as error:
            say_mistake(f"{error.format_message()}{_form(error)}")
            sys.exit(NOTHING_SENT)
        except click.Abort:  # Ctrl-C that the command does not handle
            say_mistake("interrupted")
            sys.exit(INTERRUPTED)
        # An exit status is returned; so is the result of a command, which has none.
        sys.exit(status if isinstance(status, int) else 0)


def _about(word: str) -> list[str]:
    """The commands in whose sentence a word is."""
    from mock_server.controlling.commands import command_names

    sentences = command_names() | {row.name: row.summary for row in COMMANDS}
    return [name for name, text in sentences.items() if word in re.findall(r"[\w']+", text.lower())]


def _form(error: click.ClickException) -> str:
    """How to write a command whose arguments are too few or too many; empty for other mistakes."""
    ctx, said = getattr(error, "ctx", None), error.format_message()
    is_missing = isinstance(error, click.MissingParameter) or said.startswith("Missing command")
    if ctx is None or not (is_missing or "unexpected extra" in said):
        return ""
    pieces = ctx.command.collect_usage_pieces(ctx)
    if isinstance(ctx.command, click.Group):
        pieces = ["|".join(ctx.command.list_commands(ctx))]
    return f"{'' if said.endswith('.') else '.'} Write: {' '.join([ctx.command_path, *pieces])}"


@click.group(
    cls=LazyCommands,
    invoke_without_command=True,
    epilog=exit_help(),
    context_settings={"help_option_names": ["--help", "-h"]},
)
@click.version_option(package_name="pytest-turris", prog_name=_NAME)
@click.pass_context
def app(ctx: click.Context) -> None:
    """Run a fake Turris for local development and CI: stateful, strict, offline."""
    if ctx.invoked_subcommand is None:
        say(ctx.get_help())
