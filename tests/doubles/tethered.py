"""A command that ends with its starter: ``python tethered.py COMMAND``.

Standard input is a pipe from the starter. It closes when the starter lets go of it, and also when
the starter is killed, which no handler of the starter would see.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

_PAUSE = 0.5


def main(command: str) -> int:
    """Run a line for the shell; return its exit status."""
    # A shell cannot trap what is ignored when it starts.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    process = subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, start_new_session=True
    )

    def end(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)

    def end_with_starter() -> None:
        os.read(sys.stdin.fileno(), 1)  # a buffered reader would be locked when this process ends
        # Again and again: a shell that starts a process at this moment can miss one.
        while process.poll() is None:
            end()
            time.sleep(_PAUSE)

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=end_with_starter, daemon=True).start()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
