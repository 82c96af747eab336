"""The page about token clients: its tables are those of the data, its example runs."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from tables.rules import answers_table, rules_table

from pytest_turris.conformance.hostile_check import HostileCheck
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.text.docs_links import DOCS as DOCS_URL
from pytest_turris.findings.check import Check  # noqa: TC001 - as every import here

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
    """Every rule and answer has a row in the guide, and a section with its own anchor."""
    text = PAGE.read_text()
    checks: list[Check] = [*RULES.values(), *map(HostileCheck, CATALOGUE.values())]
    assert not [check.id for check in checks if f"| {check.id} |" not in text]
    for check in checks:
        path, _, anchor = check.help_uri.removeprefix(DOCS_URL).partition(".html#")
        assert f"\n## {check.id}\n" in (DOCS / f"{path}.md").read_text()
        assert anchor == check.id.lower()


def test_example_of_the_page_runs(pytester: pytest.Pytester) -> None:
    """The correct sync and async client of the page pass."""
    code = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    pytester.makepyfile(code)
    result = pytester.runpytest_inprocess(
        "-q", "-p", "no:randomly", "-p", "no:asyncio", "-W", "ignore"
    )
    assert result.parseoutcomes() == {"passed": 2}
