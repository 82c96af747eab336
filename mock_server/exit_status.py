"""The exit statuses of ``turris-sandbox``: one table for all commands."""

OK = 0
FAILED = 1
NOTHING_SENT = 2
INTERNAL_ERROR = 3
INCOMPLETE = 4
CANNOT_RUN = 127
INTERRUPTED = 130

EXIT_STATUSES: tuple[tuple[int, str, str], ...] = (
    (OK, "all commands", "done; `serve`: stopped with Ctrl-C; `attack`: no `must` failed"),
    (
        FAILED,
        "`attack`, `audit`, `scan`, `trigger`, `health`, `learn-signature`, `drift`, controls",
        "a `must` failed, or a finding; not accepted; not ready, or refused; no scheme; it drifts",
    ),
    (NOTHING_SENT, "all commands", "wrong arguments, or nothing could be sent: nothing answers"),
    (INTERNAL_ERROR, "all commands", "an error of `turris-sandbox` itself; no verdict"),
    (INCOMPLETE, "`attack`", "no `must` failed so far, but the rest was not tried, also by Ctrl-C"),
    (
        CANNOT_RUN,
        "`serve -- COMMAND`",
        "the command cannot be run; else its own status",
    ),
    (INTERRUPTED, "all commands", "Ctrl-C before there was anything to stop in order"),
)
"""Each status with the commands that have it and what it means."""

HELP = "Exit status: " + "; ".join(
    f"{status} {meaning.replace('`', '')}" for status, _, meaning in EXIT_STATUSES
)
"""The table as a paragraph, for ``--help``."""
