"""A file that is the audit log: what the application appends to it while a test runs."""

import os
from pathlib import Path

from pytest_turris.audit.declarations import DeclarationError


class LogFile:
    """What is appended to a file from now on, also if the file is rotated or emptied then.

    Args:
        path: The file; it need not exist yet.

    Raises:
        DeclarationError: There is something else, such as a directory, or it cannot be looked at.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            there = path.stat() if path.exists() else None
        except OSError as error:
            raise DeclarationError(f"the audit log {path}: {error.strerror or error}") from None
        if there and not path.is_file():
            raise DeclarationError(f"the audit log {path} is not a regular file")
        self._before = there

    def added(self) -> str:
        """What was appended; of a file that was renamed in between, such as ``app.log.1``, too.

        Raises:
            OSError: It cannot be read.
        """
        if self._before is None:
            return self._text(0) if self._path.is_file() else ""
        now = self._path.stat() if self._path.is_file() else None
        if now and os.path.samestat(now, self._before):
            # A shorter one was emptied.
            return self._text(self._before.st_size if now.st_size >= self._before.st_size else 0)
        renamed = "".join(
            one.read_bytes()[self._before.st_size :].decode("utf-8", "replace")
            for one in self._path.parent.glob(f"{self._path.name}*")
            if one.is_file() and os.path.samestat(one.stat(), self._before)
        )
        return renamed + (self._text(0) if now else "")

    def _text(self, start: int) -> str:
        return self._path.read_bytes()[start:].decode("utf-8", "replace")
