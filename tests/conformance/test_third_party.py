"""Published OAuth clients get a verdict on each rule."""

from importlib.metadata import version
from pathlib import Path

import pytest
from doubles.clients.findings import VERSIONS, page, verdicts
from doubles.clients.third_party import LIBRARIES

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "sweep-findings.md"


def _table(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| TC-")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("library", LIBRARIES)
def test_sweep_survives_published_clients(library: str) -> None:
    """A published client gets a verdict on every rule, without an error in the kit."""
    found = verdicts(library)
    assert found["TC-01"].outcome == "passed", found["TC-01"]
    assert {"passed", "failed"} <= {verdict.outcome for verdict in found.values()}
    assert not [verdict for verdict in found.values() if "eyJ" in str(verdict)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_findings_are_those_of_the_page() -> None:
    """The page says what the sweep finds with the versions that it names."""
    if any(f"{name} {version(name)}" not in PAGE.read_text() for name in VERSIONS):
        pytest.skip("other versions than those of the page are installed")
    assert _table(page()) == _table(PAGE.read_text()), "python -m clients.findings, in tests/"
