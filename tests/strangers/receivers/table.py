"""The page with the verdicts on every receiver, as Markdown."""

import datetime as dt
from collections.abc import Iterator, Mapping

from strangers.receivers.bug import BUGS
from strangers.receivers.judging import KNOWN, known_about
from strangers.receivers.stacks import STACKS

from pytest_turris.attacks.catalogue import ATTACKS

_INTRODUCTION = """\
# Verdicts on receivers of strangers

`make verdicts` makes this page, last on {on} with {attacks} attacks. It starts every receiver
in `tests/strangers/receivers` in a process of its own, and attacks it over HTTP: a correct one with
the whole catalogue, a broken one with the attacks that are about its bug.

What is missing or wrong is said, too: *open* marks it.

The receivers are written as the documentation of their framework writes them. None was changed to
please an attack.

## Correct receivers
"""
_FINDINGS = """
### Findings of level must

A *real* finding is a fault of the receiver, or of its framework, that its author could mend. An
*open* one is a verdict that is not right yet.
"""
_BROKEN = """
## Receivers with one bug

Each is a correct receiver with a few lines changed: see `tests/strangers/receivers/broken`.
"""


def page(
    numbers: Mapping[str, Mapping[str, int]],
    caught: Mapping[str, tuple[str, ...]],
    on: dt.date,
) -> str:
    """The whole page.

    Args:
        numbers: How many verdicts of each outcome a correct receiver has, by its name.
        caught: The attacks that report a bug, by its name.
        on: The day of the run.
    """
    return "\n".join(
        (
            _INTRODUCTION.format(on=on.isoformat(), attacks=len(ATTACKS)),
            *_correct(numbers),
            _FINDINGS,
            *_findings(),
            _BROKEN,
            *_broken(caught),
            "",
        )
    )


def _correct(numbers: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield "| Receiver | Language | Passed | Info | Should | Must | Not observed, skipped |"
    yield "|---|---|---|---|---|---|---|"
    for name, number in numbers.items():
        stack = STACKS[name]
        shows = f"{stack.shows} (of the documentation)" if stack.folder else stack.shows
        must = ", ".join(sorted(known_about(name))) or "none"
        passed, info, should = (number.get(one, 0) for one in ("passed", "noted", "warned"))
        unseen = number.get("not observed", 0) + number.get("skipped", 0)
        yield f"| {shows} | {stack.language} | {passed} | {info} | {should} | {must} | {unseen} |"


def _findings() -> Iterator[str]:
    yield "| Attack | Receivers | | Argument |"
    yield "|---|---|---|---|"
    for known in KNOWN:
        stacks = "; ".join(STACKS[name].shows for name in known.stacks)
        kind = "real" if known.real else "open"
        yield f"| {known.attack} | {stacks} | {kind} | {known.why} |"


def _broken(caught: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    number = sum(1 for ids in caught.values() if ids)
    yield f"{number} of {len(BUGS)} are caught by an attack that is about their kind of bug.\n"
    yield "| Bug | Made to | Caught by |"
    yield "|---|---|---|"
    for bug in BUGS:
        ids = ", ".join(caught[bug.name]) or f"none: {bug.why_not}"
        what = bug.what.replace("|", "\\|")
        yield f"| {what} | {STACKS[bug.base].shows} | {ids} |"
