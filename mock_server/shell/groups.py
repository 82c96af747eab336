"""A group of commands that suggests what may have been meant by an unknown one."""

import click


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
        """The nearest name; else all, and what the group does without one."""
        from pytest_turris.core.text.names import did_you_mean

        known = self.list_commands(ctx)
        hint = did_you_mean(args[0], known)
        if hint or not ctx.parent:  # the list of all first words is long
            return hint
        alone = f"; or nothing more: {self.help}" if self.invoke_without_command else ""
        return f"; use {', '.join(known)}{alone}"
