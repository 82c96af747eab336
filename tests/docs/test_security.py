"""The rules on the security page: each names tests, and these exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## The rules, and the tests that hold them")[2].partition("\n## ")[0]
RULES = re.findall(r"^\| ([^|]+) \| (`.+) \|$", SECTION, re.MULTILINE)


@pytest.mark.parametrize(("rule", "tests"), RULES, ids=[rule[:40] for rule, _ in RULES])
def test_a_rule_names_tests_that_exist(rule: str, tests: str) -> None:
    """Each is a function of a file below ``tests``."""
    for name in tests.split(", "):
        path, _, function = name.strip("`").partition("::")
        text = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert re.search(rf"^def {function}\(", text, re.MULTILINE), f"{rule}: {name}"


def test_every_rule_is_read() -> None:
    """A row that is written otherwise would be left out in silence."""
    assert len(RULES) == SECTION.count("\n| ") - 1  # the head of the table
