"""The docs say what the code does: examples run, tables and numbers are those of the code."""

import re
import shutil
from pathlib import Path

import pages
import pytest
from doubles.walkthrough import snippets
from tables import counts

from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.options import option_types

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "docs" / "reference").rglob("*.md"))
PAGES += sorted((ROOT / "docs" / "how-to").glob("*.md"))
PAGES += sorted((ROOT / "docs" / "attacks").glob("*.md"))
PAGES += sorted((ROOT / "docs" / "explanation").glob("*.md"))
PAGES += sorted((ROOT / "docs" / "tutorial").glob("*.md"))
_PROGRAM = re.compile(r'\["(curl|node)"')


def _examples() -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(ROOT)}:{number}", code)
        for page in PAGES
        if page.stem != "token-clients"  # tests/conformance/test_docs.py sweeps its clients
        for number, code in enumerate(snippets(page.read_text().partition(pages.MARK)[0]))
    ]


@pytest.mark.parametrize("code", [pytest.param(code, id=name) for name, code in _examples()])
def test_every_example_is_a_test_that_passes(pytester: pytest.Pytester, code: str) -> None:
    """Each Python block of the README and the docs runs as it is."""
    for program in _PROGRAM.findall(code):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    pytester.makepyfile(code)
    result = pytester.runpytest_inprocess("-q", "-p", "no:randomly", "-p", "no:asyncio")
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}, result.stdout.str()


def test_there_are_examples() -> None:
    """The search for examples finds those of the fixtures page and of the guides."""
    names = [name for name, _ in _examples()]
    assert "docs/how-to/faults.md:0" in names
    assert len([name for name in names if "fixtures" in name]) >= 3


def test_tables_and_numbers_are_those_of_the_code() -> None:
    """``make docs`` updates a file whose tables, numbers or names differ from the code."""
    for path, text in pages.made().items():
        assert path.read_text() == text, f"{path.name} is out of date: run 'make docs'"


def test_a_number_is_filled_in() -> None:
    """Between its marks, whatever was there; a line break there is replaced too."""
    text = "all <!-- count: rules -->\n7<!-- /count --> of them"
    number = counts.COUNTS["rules"]()
    assert counts.filled(text) == f"all <!-- count: rules -->{number}<!-- /count --> of them"


def test_an_unknown_number_is_named() -> None:
    """A misspelt mark fails ``make docs``."""
    with pytest.raises(KeyError, match="ruls"):
        counts.filled("<!-- count: ruls -->7<!-- /count -->")


def test_every_option_is_on_the_page() -> None:
    """Each option has a row."""
    page = (ROOT / "docs" / "reference" / "options.md").read_text()
    assert [name for name in option_types() if f"| `{name}` " not in page] == []


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link of a page is a file of the project."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_operations_have_one_name_each() -> None:
    """Names and operation ids are unique, so that a fault or an expectation means one."""
    names = [operation.name for operation in OPERATIONS]
    ids = [operation.operation_id for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert len(set(ids)) == len(ids)
