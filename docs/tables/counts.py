"""The numbers in prose, such as ``<!-- count: attacks -->110<!-- /count -->``."""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.fidelity import counted_rows

_EXAMPLE = Path(__file__).parents[1] / "examples" / "agency_directory"
_MARK = re.compile(r"(<!-- count: (\S+) -->).*?(<!-- /count -->)", re.DOTALL)


def filled(text: str) -> str:
    """A page with its numbers as they are now.

    Raises:
        KeyError: A mark names a count that does not exist.
    """
    return _MARK.sub(lambda mark: f"{mark[1]}{COUNTS[mark[2]]():,}{mark[3]}", text)


@cache
def _example_tests() -> int:
    """The number of tests of the example project, as pytest collects them."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=_EXAMPLE, capture_output=True, text=True, check=True)  # noqa: S603 - our own example
    return int(done.stdout.splitlines()[-1].split()[0])


COUNTS: dict[str, Callable[[], int]] = {
    "attacks": lambda: len(ATTACKS),
    "quick-attacks": lambda: sum(attack.quick for attack in ATTACKS),
    "rules": lambda: len(RULES),
    "hostile-answers": lambda: len(CATALOGUE),
    "example-tests": _example_tests,
    **{
        f"fidelity-{kind.replace(' ', '-')}": partial(counted_rows().__getitem__, kind)
        for kind in counted_rows()
    },
}
