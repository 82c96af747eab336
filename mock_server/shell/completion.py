"""``turris-sandbox completion``."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    r"""Print the script that completes commands and options in SHELL.

    \b
    For this shell only:    eval "$(turris-sandbox completion bash)"
    For fish, for good:     turris-sandbox completion fish >
                            ~/.config/fish/completions/turris-sandbox.fish
    """
    root = ctx.find_root()
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    click.echo(kind(root.command, {}, "turris-sandbox", "_TURRIS_SANDBOX_COMPLETE").source())
