"""The checks that research on the vendor's advice asked for: each is there, at its line."""

import pytest

from pytest_turris.audit.checklist import CHECKLIST
from pytest_turris.audit.families import all_checks


def _ids(kind: str, first: int, last: int) -> set[str]:
    return {f"{kind}-{number:02d}" for number in range(first, last + 1)}


ADVICE: dict[tuple[str, ...], set[str]] = {
    ("SEC-01",): _ids("FE", 1, 3),
    ("SEC-02",): {"TC-30", "TC-31"},
    ("SEC-04",): {"TC-32", "TC-33"},
    ("SEC-03",): {"TC-24", *_ids("WH", 60, 64)},
    ("SEC-17",): {"TC-22", "TC-23"},
    ("SEC-05",): {"TC-29"},
    # Tokens that grow old are one line, refusals and 5xx of the token endpoint another.
    ("SEC-06", "SEC-09", "SEC-12"): _ids("TC", 5, 15),
    ("SEC-07",): {"TC-16"},
    ("SEC-08",): _ids("TC", 1, 4),
    ("SEC-09",): {"TC-05", "TC-06"},
    ("SEC-10",): _ids("TC", 17, 19),
    ("SEC-11",): _ids("WH", 70, 79),
    # What clients do with hostile answers is input, errors, transport or their rate.
    ("SEC-10", "SEC-11", "SEC-12", "SEC-23"): _ids("AR", 1, 38),
    ("SEC-12",): {"TC-39", *_ids("TC", 46, 53)},
    ("SEC-13",): _ids("WH", 1, 59) - {"WH-39"},
    ("SEC-16",): {"AU-1", "AU-2"},
    ("SEC-18",): {"AU-4", "TC-54", "TC-55"},
    ("SEC-22",): _ids("WH", 80, 83),
    ("SEC-23",): {"TC-40", *_ids("AR", 25, 32)},
    ("SEC-24",): {"AU-1", "AU-2", "AU-3"},
}
"""Lines of the checklist with the checks of their advice; several lines share a range of checks."""


@pytest.mark.parametrize("lines", ADVICE, ids="+".join)
def test_each_advice_has_its_checks(lines: tuple[str, ...]) -> None:
    """Each check exists, and proves or breaks one of the lines."""
    known = set(all_checks())
    named = {check for line in lines for check in CHECKLIST[line].checks}
    assert ADVICE[lines] - known == set()
    assert ADVICE[lines] - named == set()


def test_no_advice_is_left_out() -> None:
    """Each line that is not for people alone has checks here."""
    covered = {line for lines in ADVICE for line in lines}
    alone = {id_ for id_, line in CHECKLIST.items() if line.repeats or line.kind == "process"}
    assert set(CHECKLIST) - covered - alone == {"SEC-15"}  # least privilege: RQ-16 alone


def test_each_check_is_about_some_advice() -> None:
    """What is violated breaks a line; else the table would look better than the findings."""
    named = {check for line in CHECKLIST.values() for check in line.checks}
    assert set(all_checks()) - named == {
        "RQ-15",  # deprecated operations are on the page about versions, and information only
        "RQ-17",  # a misspelt request fails: no call succeeds, so nothing is at risk
    }
