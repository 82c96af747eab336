"""``kill``, and a terminal that closes, end a command as Ctrl-C does.

The signal is remembered, since its exception may be lost: Python ignores what is raised in a
callback of the garbage collector or of an import.
"""

import signal
from types import FrameType

_received: list[int] = []


def end_by_signals() -> None:
    """Raise KeyboardInterrupt for SIGTERM and SIGHUP, unless they are ignored, as ``nohup`` does.

    By default they end the process at once, and its children keep running. Windows has no SIGHUP.
    """
    for number in {signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def raise_if_lost() -> None:
    """Raise KeyboardInterrupt if such a signal has come, but the command still runs."""
    if _received:
        raise KeyboardInterrupt


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt
