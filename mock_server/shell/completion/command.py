"""``turris-sandbox completion``, and how bash is answered."""

import re
from collections.abc import Iterable

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
)

_SPECIAL = re.compile(r"[^\w@%+=:,./*-]")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    r"""Print the script that completes commands, options and values in SHELL.

    \b
    For this shell only:    eval "$(turris-sandbox completion bash)"
    For fish, for good:     turris-sandbox completion fish >
                            ~/.config/fish/completions/turris-sandbox.fish
    """
    root = ctx.find_root()
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    click.echo(kind(root.command, {}, "turris-sandbox", "_TURRIS_SANDBOX_COMPLETE").source())


@add_completion_class
class BashWords(BashComplete):
    """Click's own, for what bash splits at ``=``, and does not quote."""

    name = "bash"
    _before = ""
    """The word up to its last ``=``, which bash keeps as it is."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is completed, and that one, as they were typed."""
        args, incomplete = super().get_completion_args()
        if not incomplete:
            return _joined(args), ""
        *words, whole = _joined([*args, incomplete])
        self._before = whole.removesuffix(incomplete.strip("="))
        return words, whole

    def format_completion(self, item: CompletionItem) -> str:
        """Return a line of the answer: the part that bash puts in, quoted."""
        shown = item.value.removeprefix(self._before)
        # The script reads one backslash of two away.
        item.value = _SPECIAL.sub(lambda found: rf"\\{found[0]}", shown)
        return super().format_completion(item)


def _joined(words: Iterable[str]) -> list[str]:
    """Words that bash has split at each ``=``, whole again."""
    joined: list[str] = []
    is_open = False
    for word in words:
        is_sign = bool(word) and not word.strip("=")
        if joined and (is_sign or (is_open and not word.startswith("-"))):
            joined[-1] += word
        else:
            joined.append(word)
        is_open = is_sign
    return joined
