import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from tables.rules import answers_table, rules_table

from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "how-to" / "token-clients.md"


@pytest.fixture(scope="module")
def timeline() -> ModuleType:
    """The script that draws."""
    spec = importlib.util.spec_from_file_location("timeline", DOCS / "timeline.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_those_of_the_data() -> None:
    """The page's tables of rules and answers are the data's."""
    text = PAGE.read_text()
    assert rules_table() in text
    assert answers_table() in text


def test_drawings_are_those_of_the_script(timeline: ModuleType) -> None:
    """The timeline for light and dark pages is what the script draws."""
    for path, text in timeline.drawings().items():
        assert path.read_text() == text


def test_every_id_is_documented() -> None:
    """Every rule and every answer has a row, rules without a probe their reason."""
    text = PAGE.read_text()
    ids = [*RULES, *CATALOGUE]
    assert len(set(ids)) == len(RULES) + len(CATALOGUE)
    assert not [name for name in ids if f"| {name} |" not in text]


def test_example_of_the_page_runs(pytester: pytest.Pytester) -> None:
    """The correct sync and async client of the page pass as they stand."""
    code = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    pytester.makepyfile(code)
    result = pytester.runpytest_inprocess(
        "-q", "-p", "no:randomly", "-p", "no:asyncio", "-W", "ignore"
    )
    assert result.parseoutcomes() == {"passed": 2}
