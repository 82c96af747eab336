"""What the attacks said about a receiver, held against what is known about it."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from strangers.receivers.stack import CORRECT

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.attacks.series.series import SeriesResult
from pytest_turris.findings.verdict import Verdict

_BY_ID = {one.id: one for one in ATTACKS}
_SAID_OF_CORRECT_ONES = frozenset({"WH-02", "WH-77", "WH-97"})
"""Attacks that warn of some correct receivers: only a failure is about the bug."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A finding of level must about a correct receiver, and the argument about it.

    Args:
        stacks: Which receivers have it.
        attack: The attack that reports it.
        real: Whether the receiver has a fault; otherwise the verdict is open.
        why: The argument.
        sometimes: Whether the machine's scheduler decides if it shows.
    """

    stacks: tuple[str, ...]
    attack: str
    real: bool
    why: str
    sometimes: bool = False


def _read() -> Iterator[Known]:
    for entry in tomllib.loads((CORRECT / "findings.toml").read_text())["finding"]:
        yield Known(
            stacks=tuple(entry["stacks"]),
            attack=entry["attack"],
            real=entry["real"],
            why=entry["why"],
            sometimes=entry.get("sometimes", False),
        )


KNOWN = tuple(_read())


def in_catalogue(ids: Iterable[str]) -> list[Attack]:
    """Those attacks that there are: an id of a later catalogue is left out."""
    return [_BY_ID[id_] for id_ in ids if id_ in _BY_ID]


def known_about(name: str) -> dict[str, Known]:
    """What is known about a correct receiver, by attack."""
    return {known.attack: known for known in KNOWN if name in known.stacks}


def failed(result: SeriesResult) -> dict[str, Verdict]:
    """The verdicts of level must, by attack."""
    return {one.check.id: one for one in result.verdicts if one.outcome == "failed"}


def reports(verdict: Verdict) -> bool:
    """Whether a verdict tells the author of a broken receiver of the bug."""
    warned = verdict.outcome == "warned" and verdict.check.id not in _SAID_OF_CORRECT_ONES
    return warned or verdict.outcome == "failed"


def counts(result: SeriesResult) -> Counter[str]:
    """How many verdicts of each outcome there are."""
    return Counter(one.outcome for one in result.verdicts)
