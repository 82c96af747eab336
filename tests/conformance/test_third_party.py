"""Published OAuth clients: a fixed part of what the page says of them is seen again."""

import json

import pytest
from doubles.clients.findings import FILE, row
from doubles.clients.third_party import LIBRARIES

from pytest_turris.conformance.rules import RULES

pytestmark = pytest.mark.filterwarnings("ignore")

_DATA = json.loads(FILE.read_text())
_SEEN_AGAIN = ("TC-01", "TC-05", "TC-12", "TC-20", "TC-21")
"""Whose verdicts do not depend on which thread is first."""


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("rule", _SEEN_AGAIN)
def test_finding_is_seen_again(library: str, rule: str) -> None:
    """The same outcome, words and requests as in the file, with the versions that it names."""
    kept = next(f for f in _DATA["verdicts"] if (f["library"], f["rule"]) == (library, rule))
    found = row(library, rule)
    assert found["outcome"] == kept["outcome"], "make findings"
    assert found["requests"] == kept["requests"]


def test_file_has_a_verdict_on_each_rule_of_each_library() -> None:
    """Nothing is left out, and each finding has the requests that show it."""
    pairs = [(found["library"], found["rule"]) for found in _DATA["verdicts"]]
    assert pairs == [(library, rule) for library in LIBRARIES for rule in RULES]
    for found in _DATA["verdicts"]:
        assert bool(found["requests"]) is (found["outcome"] in ("failed", "warned", "noted"))


def test_file_shows_no_secret() -> None:
    """Tokens are numbers in it."""
    text = FILE.read_text()
    assert "eyJ" not in text
    assert "turris_sandbox_secret" not in text
