"""What a receiver says while it is attacked: logs, prints, error output."""

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from pytest_turris.tee import Tee


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Collect, in pieces, what this process prints and logs; it is printed and logged all the same.

    What goes to a logger that does not propagate, or comes from another process, is not heard.
    """
    kept: list[str] = []
    listener = logging.StreamHandler(Tee(io.StringIO(), kept))
    logging.getLogger().addHandler(listener)
    try:
        with redirect_stdout(Tee(sys.stdout, kept)), redirect_stderr(Tee(sys.stderr, kept)):
            yield kept
    finally:
        logging.getLogger().removeHandler(listener)
