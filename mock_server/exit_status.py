"""The exit statuses of ``turris-sandbox``: one table for all commands."""

OK = 0
FAILED = 1
NOTHING_SENT = 2
INTERNAL_ERROR = 3
INCOMPLETE = 4
CANNOT_RUN = 127
INTERRUPTED = 130

_ALL = "all commands"
CONTROL_STATUSES = "controls of a running sandbox"

EXIT_STATUSES: tuple[tuple[int, str, str], ...] = (
    (OK, _ALL, "done"),
    (OK, "`serve`", "stopped with Ctrl-C"),
    (OK, "`attack`", "no `must` failed"),
    (FAILED, "`attack`", "a `must` failed"),
    (FAILED, "`audit`, `scan`", "a finding"),
    (FAILED, "`trigger`", "the receiver did not accept the webhook"),
    (FAILED, "`health`", "no sandbox is ready"),
    (FAILED, "`learn-signature`", "no scheme fits"),
    (FAILED, "`drift`", "the tenant contradicts the sandbox"),
    (
        FAILED,
        "`assert`, `journal failures`, `audit end-drill`, `audit log`, `webhooks attack`",
        "what it judges does not hold",
    ),
    (FAILED, CONTROL_STATUSES, "the sandbox refused it"),
    (NOTHING_SENT, _ALL, "wrong arguments, or nothing answers"),
    (INTERNAL_ERROR, _ALL, "an error of `turris-sandbox` itself; no verdict"),
    (INCOMPLETE, "`attack`", "no `must` failed so far, but the rest was not tried"),
    (CANNOT_RUN, "`serve`", "COMMAND cannot be run; otherwise its own status counts"),
    (INTERRUPTED, _ALL, "Ctrl-C before the command had begun its work"),
)
"""Each status with the commands that have it and what it means."""


def exit_help(command: str = "", kind: str = _ALL) -> str:
    """Return the statuses of one command, or those of all, as a paragraph for ``--help``.

    Args:
        command: Its words; empty for all.
        kind: The commands that it is one of.
    """
    meanings: dict[int, list[str]] = {}
    for status, commands, meaning in EXIT_STATUSES:
        if commands in (_ALL, kind) or f"`{command}`" in commands:
            meanings.setdefault(status, []).append(meaning.replace("`", ""))
        elif not command and status == FAILED:
            meanings[status] = ["what the help of the command says"]
    texts = [f"{status} {', or '.join(texts)}" for status, texts in meanings.items()]
    return f"Exit status: {'; '.join(texts)}"
