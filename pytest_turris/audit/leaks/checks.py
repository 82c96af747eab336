"""The checks of the leak watch: one for each channel."""

from pytest_turris.audit.check import AuditCheck
from pytest_turris.core.levels import Level

_WHY = "All readers of it have the secret, and such places are read by many and kept long."
_FIX = "Keep the secret out of it: mask it, and give its class a repr that does not show it."
_SOURCE = "vendor: store tokens securely; OWASP Logging Cheat Sheet"


def _leak(id_: str, where: str, does: str, level: Level = "must") -> AuditCheck:
    return AuditCheck(
        id=id_, title=f"No secret shows in {where}", level=level, does=does, why=_WHY, fix=_FIX,
        source=_SOURCE,
    )  # fmt: skip


LEAKS = (
    _leak(
        "LK-01",
        "log records",
        "Reads the message, the extra attributes and the traceback of each record of all loggers, "
        "those that do not propagate too.",
    ),
    _leak("LK-02", "printed output", "Reads what Python prints, structlog's lines too."),
    _leak("LK-03", "warnings", "Reads the text of each warning."),
    _leak(
        "LK-04",
        "exceptions",
        "Reads the text, the arguments and the notes of each exception that a test sees, or that "
        "ends a thread, and of its causes.",
    ),
    _leak("LK-05", "the repr of objects", "Reads the repr of the values of the test's fixtures."),
    _leak(
        "LK-06",
        "files that others may read",
        "Reads each file that is written or renamed during a test; a file with mode 0600 may hold "
        "a token.",
    ),
    _leak(
        "LK-07",
        "the arguments of a child process",
        "Reads the arguments of each process that is started: every user of the machine can.",
    ),
    _leak(
        "LK-08",
        "requests to other hosts",
        "Reads what is sent to hosts other than Turris', as far as it is not encrypted; and what "
        "httpx and requests send where a test's mock answers.",
    ),
    _leak(
        "LK-09",
        "the output of child processes",
        "Reads what pytest captured from the process's descriptors, besides what Python printed.",
    ),
)
