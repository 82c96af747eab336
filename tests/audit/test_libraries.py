"""Suites that use published libraries, audited: what was kept is what is found."""

import json
import re
from importlib.metadata import version

import pytest
from doubles.clients.audited_libraries import FILE, LIBRARIES, facts, row

_ARGUMENT = re.compile(r"^### ([A-Z]{2}-\d+):", re.MULTILINE)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_findings_are_current(library: str) -> None:
    """With the versions that were kept; `make findings` keeps others."""
    (kept,) = [
        one for one in json.loads(FILE.read_text())["libraries"] if one["library"] == library
    ]
    newer = [name for name, number in kept["versions"].items() if version(name) != number]
    if newer:
        pytest.skip(f"kept with other versions of {', '.join(newer)}: make findings")
    assert facts(row(library)) == facts(kept)


def test_each_finding_has_its_argument() -> None:
    """The page answers what a maintainer would say, for each check that found something."""
    data = json.loads(FILE.read_text())["libraries"]
    found = {one["check"] for library in data for one in library["findings"]}
    text = FILE.with_suffix(".md").read_text()
    assert set(_ARGUMENT.findall(text)) == found
    assert len(data) == len(LIBRARIES)
