"""A command that explains a negative amount, which click takes for an option."""

import re

import click

_NEGATIVE = re.compile(r"-\.?\d")


class ControlCommand(click.Command):
    """The command of a row."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of the command line."""
        given = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            begin = error.option_name
            negative = (word for word in given if word.startswith(begin) and _NEGATIVE.match(word))
            if word := next(negative, ""):
                ctx.fail(f"{word!r} is taken for an option; no amount here can be negative")
            raise
