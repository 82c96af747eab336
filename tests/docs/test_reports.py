"""The page of public reports names attacks that there are."""

import re
from pathlib import Path

from pytest_turris.attacks.catalogue import find_attack

PAGE = (Path(__file__).parents[2] / "docs" / "attacks" / "reports.md").read_text()
IN_A_ROW = 20


def test_every_report_names_an_attack_that_there_is() -> None:
    """Each row ends with the ids of attacks, or says that every attack looks for it."""
    rows = [row for row in PAGE.splitlines() if row.startswith("| [")]
    for row in rows:
        ids = re.findall(r"WH-\d+", row.rpartition("](")[2])
        assert ids or "every attack" in row, row
        for id_ in ids:
            find_attack(id_)


def test_twenty_reports_in_a_row_were_covered() -> None:
    """The last part lists at least twenty different threads."""
    last = PAGE.partition("## Twenty in a row")[2]
    assert len(set(re.findall(r"\(https://github.com/[^)]+\)", last))) >= IN_A_ROW
