"""The docs say what the code does: examples run, tables and numbers are those of the code."""

import re
import sys
from pathlib import Path

import pages
import pytest
from doubles import walkthrough
from doubles.examples import examples, measured, outcomes
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


def _examples(page: Path) -> dict[str, str]:
    return examples(page.read_text(encoding="utf-8").partition(pages.MARK)[0])


# tests/conformance/test_docs.py sweeps the clients of the page about token clients. The guides are
# what newcomer.py follows with the wheel, but coverage is measured of the checkout.
WITH_EXAMPLES = [
    page
    for page in PAGES
    if page.stem != "token-clients"
    and (page.parent.name != "how-to" or measured())
    and _examples(page)
]


def _run(folder: Path, modules: dict[str, str]) -> dict[str, set[str]]:
    environment = walkthrough.environment(Path(sys.executable).parent, ROOT) | measured()
    seen, printed = outcomes(folder, modules, Path(sys.executable), environment)
    print(printed)  # noqa: T201 - pytest shows it if the test fails
    return seen


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_is_a_test_that_passes(page: Path, tmp_path: Path) -> None:
    """Each Python block of the README and the docs runs as it is.

    A page has a process of its own, as it has with its reader: an example may configure Django, or
    import a module that another page calls the same.
    """
    seen = _run(tmp_path, _examples(page))
    assert seen == {name: {"passed"} for name in seen}


def test_an_example_without_a_passing_test_is_found(tmp_path: Path) -> None:
    """One that fails, one that is skipped, and one that has no test."""
    examples = {
        "test_example_0": "def test_right(): pass",
        "test_example_1": "def test_right(): pass\ndef test_wrong(): assert False",
        "test_example_2": "import pytest\ndef test_left_out(): pytest.skip()",
        "test_example_3": "import nothing_of_this_name",
        "test_example_4": "",
    }
    assert list(_run(tmp_path, examples).values()) == [
        {"passed"}, {"passed", "failure"}, {"skipped"}, {"error"}, set()
    ]  # fmt: skip


def test_there_are_examples() -> None:
    """The search for examples finds those of the fixtures page and of the guides."""
    names = {page.stem: len(_examples(page)) for page in PAGES}
    assert names["faults"]
    assert names["fixtures"] >= 3


def test_tables_and_numbers_are_those_of_the_code() -> None:
    """``make docs`` updates a file whose tables, numbers or names differ from the code."""
    for path, text in pages.made().items():
        assert path.read_text() == text, f"{path.name} is out of date: run 'make docs'"


def test_a_number_is_filled_in() -> None:
    """Between its marks, whatever was there; a line break there is replaced too."""
    text = "all <!-- count: rules -->\n7<!-- /count --> of them"
    number = counts.COUNTS["rules"]()
    assert counts.filled(text) == f"all <!-- count: rules -->{number}<!-- /count --> of them"


def test_the_size_of_an_attack_profile_is_counted() -> None:
    """A line about the profiles has no number but the one that the catalogue gives."""
    lines = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()]
    sized = [line for line in lines if re.search(r"`quick`.*`full`|`full`.*`quick`", line)]
    assert [one for one in sized if re.search(r"\d", re.sub(r"-->\d+<!--", "", one))] == []
    assert any("count: quick-attacks" in line for line in sized)


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
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_operations_have_one_name_each() -> None:
    """Names and operation ids are unique, so that a fault or an expectation means one."""
    names = [operation.name for operation in OPERATIONS]
    ids = [operation.operation_id for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert len(set(ids)) == len(ids)
