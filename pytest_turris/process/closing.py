"""Closes contexts that were entered one after another.

An ``ExitStack`` does more, and takes longer than the contexts of a test themselves.
"""

from contextlib import AbstractContextManager
from typing import Any


def close_all(opened: list[AbstractContextManager[Any]]) -> None:
    """Close contexts, the newest first, and the others too if one cannot be closed."""
    try:
        while opened:
            opened.pop().__exit__(None, None, None)
    finally:
        if opened:
            close_all(opened)
