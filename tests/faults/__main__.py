"""``make faults``: raises exceptions at random lines of the core, and looks at what is left."""

import argparse
import sys
from collections import Counter

import time_machine

from faults.trials import Trials


def main() -> int:
    """Return 1 if something was left half done."""
    parser = argparse.ArgumentParser(prog="python -m faults")
    parser.add_argument("--trials", type=int, default=4_500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with time_machine.travel("2025-03-17T10:15:45+00:00", tick=False):
        trials = Trials(given.seed)
        found = Counter(filter(None, (trials.one() for _ in range(given.trials))))
    for problem, times in found.most_common():
        sys.stdout.write(f"{times} x {problem}\n")
    sys.stdout.write(f"seed {given.seed}: {given.trials:,} exceptions, {found.total()} problems\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
