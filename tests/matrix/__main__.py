"""Run the matrix and tell it cell by cell; words on the command line choose cells by name."""

import sys
from concurrent.futures import ThreadPoolExecutor

from .cells import CELLS
from .environments import Environments
from .running import Outcome, run

AT_ONCE = 2


def main(words: list[str]) -> int:
    """Run the cells whose names have one of these words in them, or all."""
    chosen = [cell for cell in CELLS if not words or any(word in cell.name for word in words)]
    homes = Environments()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda cell: told(run(cell, homes)), chosen))
    for outcome in outcomes:
        if outcome.state == "failed":
            print(f"\n===== {outcome.cell.name} =====\n{outcome.output}")
    states = [outcome.state for outcome in outcomes]
    counts = ", ".join(f"{states.count(s)} {s}" for s in ("passed", "failed", "skipped"))
    print(f"matrix: {counts}")
    return int("failed" in states or "passed" not in states)


def told(outcome: Outcome) -> Outcome:
    """Print the row of a cell as soon as it is known."""
    took = f"{outcome.seconds:.1f} s" if outcome.seconds else ""
    print(f"{outcome.state:8}{outcome.cell.name:28}{took:>7}  {outcome.words}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
