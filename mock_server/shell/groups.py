"""A group of commands that suggests what may have been meant by an unknown one."""

from collections.abc import Sequence

import click

_FEW = 3
"""As many suggestions help; more are a list to read."""


class SuggestingGroup(click.Group):
    """Click's group, with a suggestion for an unknown name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or suggest one."""
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            ctx.fail(f"there is no command {args[0]!r}{self.suggestion(ctx, args)}")
        return super().resolve_command(ctx, args)

    def suggestion(self, ctx: click.Context, args: list[str]) -> str:
        """The names that begin so, or the nearest; else all, and what the group does without."""
        from pytest_turris.core.text.names import did_you_mean

        known = self.list_commands(ctx)
        hint = self.begun(ctx, args[0]) or did_you_mean(args[0], known)
        if hint or not ctx.parent:  # the list of all first words is long
            return hint
        alone = f"; or nothing more: {self.help}" if self.invoke_without_command else ""
        return f"; use {', '.join(known)}{alone}"

    def begun(self, ctx: click.Context, word: str) -> str:
        """The few names that begin with a word, as a question; empty if there are none, or many."""
        return few_meant([name for name in self.list_commands(ctx) if name.startswith(word)])


def few_meant(names: Sequence[str]) -> str:
    """Ask for a few names; empty if there are none, or many."""
    return meant(names) if 0 < len(names) <= _FEW else ""


def meant(names: Sequence[str]) -> str:
    """``"; did you mean 'a', 'b' or 'c'?"``."""
    *most, last = map(repr, names)
    return f"; did you mean {', '.join(most)}{' or ' if most else ''}{last}?"
