"""The attacks let a stranger's correct receiver pass, and report a stranger's bug.

A fixed part of both runs here; ``make verdicts`` runs all, and writes the table.
"""

import pytest
from strangers.receivers.attacking import attack
from strangers.receivers.bug import BUGS, Bug
from strangers.receivers.conftest import Require
from strangers.receivers.judging import KNOWN, failed, in_catalogue, known_about, reports
from strangers.receivers.serving import served
from strangers.receivers.stacks import STACKS

from pytest_turris.attacks.catalogue import find_attack

_BASELINE = find_attack("WH-01")
_CAUGHT = [bug for bug in BUGS if in_catalogue(bug.caught_by)]


@pytest.mark.parametrize("name", STACKS)
def test_correct_receiver_is_not_accused(name: str, require: Require) -> None:
    """No attack of the whole catalogue fails, but for findings that are named and argued."""
    require(name)
    with served(name) as receiver:
        result = attack(receiver)
    known = known_about(name)
    accused = [str(verdict) for id_, verdict in failed(result).items() if id_ not in known]
    assert not accused, "\n\n".join(accused)
    assert result.complete, result.cause


@pytest.mark.parametrize("bug", _CAUGHT, ids=lambda bug: bug.name)
def test_bug_is_reported(bug: Bug, require: Require) -> None:
    """The first attack that names the bug's kind reports it."""
    require(bug.base)
    with served(bug.base, bug) as receiver:
        result = attack(receiver, [_BASELINE, *in_catalogue(bug.caught_by[:1])], bug.settle)
    assert reports(result.verdicts[-1]), str(result.verdicts[-1])


def test_bug_without_an_attack_has_a_reason() -> None:
    """Each bug names an attack that reports it, or says why there is none."""
    assert not [bug.name for bug in BUGS if not bug.caught_by and not bug.why_not]


def test_most_bugs_name_an_attack() -> None:
    """The share does not fall below what it was when the bugs were written."""
    assert sum(1 for bug in BUGS if bug.caught_by) >= 0.8 * len(BUGS)


def test_known_findings_are_about_receivers_that_are_there() -> None:
    """A name in the list of findings is the name of a receiver and of an attack."""
    for known in KNOWN:
        assert set(known.stacks) <= set(STACKS)
        assert find_attack(known.attack).id == known.attack
        assert known.why
