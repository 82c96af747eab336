"""The page about token clients: its tables are those of the data, its example runs."""

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tables.rules import answers_table, rules_table

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.hostile.check import HostileCheck
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.docs_links import DOCS as DOCS_URL
from pytest_turris.findings.check import Check  # noqa: TC001 - as every import here
from pytest_turris.findings.verdict import Verdict
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

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


@pytest.fixture(scope="module")
def documented() -> ModuleType:
    """The example of the page."""
    module = ModuleType("documented")
    exec(PAGE.read_text().partition("```python\n")[2].partition("```")[0], vars(module))  # noqa: S102 - our own page
    return module


# The page's clients are about tokens: they retry nothing but a 401, and write nothing.
_DOCUMENTED = [
    "TC-01", "TC-02", "TC-03", "TC-05", "TC-06", "TC-07", "TC-12", "TC-13", "TC-22", "TC-56",
    "TC-57", "TC-58", "TC-59", "TC-60", "TC-61", "TC-62", "TC-63", "TC-64", "TC-65",
]  # fmt: skip


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize("rule", _DOCUMENTED)
def test_documented_client_keeps_the_rule(
    documented: ModuleType, rule: str, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """The sync client of the page passes the rules that it is about."""
    client: Any = documented.Client
    under_test = ClientUnderTest(call=client().agents, new_client=lambda: client().agents)
    verdict = TokenCase(rule, turris, turris_time).examine(under_test)
    assert verdict.outcome == "passed", verdict


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize("rule", [*_DOCUMENTED, "TC-43", "TC-66", "TC-67", "TC-69"])
def test_documented_async_client_keeps_the_rule(
    documented: ModuleType, rule: str, turris: Sandbox, turris_time: TimeTravel
) -> None:
    """So does the async one, with those about event loops."""
    client: Any = documented.AsyncClient

    async def main() -> Verdict:
        under_test = ClientUnderTest(call=client().agents, new_client=lambda: client().agents)
        return await TokenCase(rule, turris, turris_time).aexamine(under_test)

    verdict = asyncio.run(main())
    assert verdict.outcome == "passed", verdict


def test_example_of_the_page_runs(pytester: pytest.Pytester) -> None:
    """The correct sync and async client of the page pass."""
    code = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    pytester.makepyfile(code)
    result = pytester.runpytest_inprocess(
        "-q", "-p", "no:randomly", "-p", "no:asyncio", "-W", "ignore"
    )
    assert result.parseoutcomes() == {"passed": 2}
