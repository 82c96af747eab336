"""A group of commands that suggests the nearest name for an unknown one."""

import click


class SuggestingGroup(click.Group):
    """Click's group, with a suggestion for an unknown name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or suggest the nearest name."""
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            from pytest_turris.core.text.names import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx))
            # Without a near name it shows the list, which is short for all but the first word.
            known = ", ".join(self.list_commands(ctx)) if ctx.parent and not hint else ""
            ctx.fail(f"there is no command {args[0]!r}{hint}" + (f"; use {known}" if known else ""))
        return super().resolve_command(ctx, args)
