"""``--turris-capsule DIR``: a failing test leaves its sandbox as a file.

Imported only for a failing test of a run with the option.
"""

import hashlib
import re
from pathlib import Path

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.worlds import World

_OPTION = "--turris-capsule"

_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 120
"""Characters of a name; many file systems allow 255 bytes."""


def leave_capsule(folder: Path, test: str, sandbox: Sandbox) -> str:
    """Write a test's sandbox to a file, without secrets, and return what to do with it.

    An error does not fail the run: then the text says so.

    Args:
        folder: Where to; it is made if missing.
        test: The id of the test, which the file is named after.
        sandbox: The test's sandbox.
    """
    file = folder / _name(test)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(World.of(sandbox, about=test).to_json(), encoding="utf-8")
    except OSError as error:
        return f"{_OPTION} {folder}: cannot write {file.name}: {error.strerror or error}"
    return f"turris-sandbox serve --load {file}\nopens the sandbox as this test left it"


def _name(test: str) -> str:
    """A file name for a test id, different for each id."""
    plain = _UNUSUAL.sub("-", test).strip("-")
    if plain == test and len(test) <= _LONGEST:
        return f"{plain}.json"
    mark = hashlib.blake2s(test.encode()).hexdigest()[:8]
    return f"{plain[-_LONGEST:]}-{mark}.json"
