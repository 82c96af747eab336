"""The page of what we patch names modules that exist, and attributes that they touch."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "what-we-patch.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| Library"))
]
PATCHING = re.compile(r"\bPatch\(")


def test_rows_are_found() -> None:
    """The table has a row for each library that the kit patches."""
    assert {row[0] for row in ROWS} >= {
        "httpx, httpx2",
        "respx",
        "requests",
        "freezegun",
        "uvicorn",
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[5]} {row[0]}".replace("`", ""))
def test_row_is_true(row: list[str]) -> None:
    """The module touches each attribute by name, and the test exists."""
    _, attributes, _, _, _, module, test = row
    text = (ROOT / "pytest_turris" / module.strip("`")).read_text()
    for attribute in re.findall(r"`([^`]+)`", attributes):
        assert attribute.rpartition(".")[2] in text, attribute
    assert (ROOT / test.strip("`")).is_file()


def test_no_module_that_patches_is_left_out() -> None:
    """Each module that uses ``Patch`` has a row."""
    listed = {row[5].strip("`") for row in ROWS}
    package = ROOT / "pytest_turris"
    patching = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if PATCHING.search(path.read_text()) and path.parent.name != "process"
    }
    assert patching <= listed
