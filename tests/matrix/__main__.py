"""Runs the matrix and prints a row per cell; arguments choose cells by parts of their names."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .cells import CELLS, Cell
from .environments import Environments, wheel
from .running import CONSUMER, Interpreters, Outcome, run

AT_ONCE = 2


def main(words: Sequence[str]) -> int:
    """Run the cells whose names contain one of these words, or all cells; return an exit code."""
    chosen = [cell for cell in CELLS if not words or any(word in cell.name for word in words)]
    if not chosen:
        print(f"matrix: the name of no cell contains {' or '.join(words)}")
        return 1
    try:
        environments = Environments(wheel())
    except subprocess.CalledProcessError as error:
        print(f"{error.stderr}\nmatrix: the wheel could not be built")
        return 1
    return run_cells(chosen, environments)


def run_cells(cells: Sequence[Cell], environments: Interpreters, consumer: Path = CONSUMER) -> int:
    """Run cells, print a row for each and the output of failed ones; return an exit code."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda cell: printed(run(cell, environments, consumer)), cells))
    for outcome in outcomes:
        if outcome.state == "failed":
            print(f"\n===== {outcome.cell.name} =====\n{outcome.output}")
    states = [outcome.state for outcome in outcomes]
    counts = ", ".join(f"{states.count(s)} {s}" for s in ("passed", "failed", "skipped"))
    print(f"matrix: {counts}")
    return int("failed" in states or "passed" not in states)


def printed(outcome: Outcome) -> Outcome:
    """Print the row of a cell, and return it."""
    took = f"{outcome.seconds:.1f} s" if outcome.seconds else ""
    print(f"{outcome.state:8}{outcome.cell.name:28}{took:>7}  {outcome.summary}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
