"""``python -m strangers.receivers``: attack every receiver, and write the table of verdicts.

Exits with 1 if a verdict is not what ``findings.toml`` and ``broken/*.toml`` say.
"""

import datetime as dt
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from strangers.receivers.attacking import attack
from strangers.receivers.bug import BUGS, Bug
from strangers.receivers.judging import counts, failed, in_catalogue, known_about, reports
from strangers.receivers.serving import missing, served
from strangers.receivers.stacks import STACKS
from strangers.receivers.table import page

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.series.series import SeriesResult

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "verdicts-receivers.md"


def main() -> int:
    """Run everything, and return the exit status."""
    absent = [reason for stack in STACKS.values() if (reason := missing(stack))]
    if absent:
        sys.stderr.write("\n".join(absent) + "\n")
        return 2
    numbers: dict[str, Mapping[str, int]] = {}
    wrong: list[str] = []
    # Most of the time is waited for a receiver to start, or to answer.
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, (number, unexpected) in zip(STACKS, pool.map(_attacked, STACKS), strict=True):
            numbers[name] = number
            wrong += unexpected
            sys.stdout.write(f"{name}: {dict(number)}\n")
        caught = dict(zip((bug.name for bug in BUGS), pool.map(_reported, BUGS), strict=True))
    for bug in BUGS:
        silent = [id_ for id_ in bug.caught_by if id_ not in caught[bug.name]]
        wrong += [f"{bug.name} is not reported by {id_}" for id_ in silent]
    today = dt.datetime.now(dt.UTC).date()  # noqa: TID251 - the day of this run, on its page
    PAGE.write_text(page(numbers, caught, today))
    sys.stdout.write("\n".join((*wrong, f"{PAGE.name} is written", "")))
    return 1 if wrong else 0


def _attacked(name: str) -> tuple[Mapping[str, int], list[str]]:
    """How many verdicts of each outcome there are, and what is not as it is known."""
    with served(name) as receiver:
        result = attack(receiver)
    return counts(result), [f"{name}: {line}" for line in _unexpected(name, result)]


def _unexpected(name: str, result: SeriesResult) -> Iterator[str]:
    """What is said that is not known, and what is known and was not said."""
    known, said = known_about(name), failed(result)
    yield from (f"{id_} fails" for id_ in said if id_ not in known)
    sure = (id_ for id_, one in known.items() if not one.sometimes)
    yield from (f"{id_} no longer fails" for id_ in sure if id_ not in said)
    if result.cause:
        yield result.cause


def _reported(bug: Bug) -> tuple[str, ...]:
    """The attacks of those that name the bug which report it."""
    named = in_catalogue(bug.caught_by)
    if not named:
        return ()
    with served(bug.base, bug) as receiver:
        result = attack(receiver, [find_attack("WH-01"), *named], bug.settle)
    return tuple(one.check.id for one in result.verdicts[1:] if reports(one))


if __name__ == "__main__":
    sys.exit(main())
