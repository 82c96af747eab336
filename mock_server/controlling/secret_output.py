"""Output that has secrets in it."""

import contextlib
import os
import stat
import sys

from mock_server.shell.printing import say


def protect_output() -> None:
    """Make the file that standard output goes to private to its owner, and warn."""
    # Standard output may be closed, or not be a file of the system, or the file belongs to another
    # user.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        number = sys.stdout.fileno()
        if stat.S_ISREG(os.fstat(number).st_mode):
            os.fchmod(number, 0o600)
    say(
        "turris-sandbox: this has secrets and tokens in it; keep it private",
        err=True,
    )
