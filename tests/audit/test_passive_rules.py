"""Each passive rule, tried on applications that were written without it in mind."""

import pytest
from audit.conftest import AUDITED, AuditedProject, marked

from pytest_turris.audit.rules.catalogue import PASSIVE_RULES

_NOT_A_BUG = {"RQ-16"}
"""What a whole run shows, whatever the application."""


def test_each_broken_application_is_caught_at_its_line(audited: AuditedProject) -> None:
    """Nothing else is found in them, and no line is missed."""
    audited.copy("broken", "test_broken_apps.txt")
    report = audited.run()
    found = {(one["check"], one["path"], one["line"]) for one in report["results"]}
    expected = {mark for file in (AUDITED / "broken").glob("*.py") for mark in marked(file)}
    assert {one for one in found if one[0] not in _NOT_A_BUG} == expected


def test_nothing_is_found_in_the_good_applications(audited: AuditedProject) -> None:
    """All rules had something to look at, or are named here."""
    audited.copy("good", "test_good_apps.txt")
    report = audited.run()
    assert audited.result is not None
    assert audited.result.parseoutcomes() == {"passed": 13}
    assert [one for one in report["results"] if one["check"] not in _NOT_A_BUG] == []
    ran = {one["check"] for one in report["checks"]}
    assert set(PASSIVE_RULES) - ran == {"RQ-02"}  # no client has a Referer


@pytest.mark.parametrize("id_", PASSIVE_RULES)
def test_each_rule_has_a_broken_application(id_: str) -> None:
    """A rule that no application breaks is not tested."""
    marks = {mark[0] for file in (AUDITED / "broken").glob("*.py") for mark in marked(file)}
    assert id_ in marks
