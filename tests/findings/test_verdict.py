"""Outcomes follow from findings; a verdict reads well and is plain JSON data."""

import json

import pytest
from doubles.example_check import ExampleCheck

from pytest_turris.core.levels import Level
from pytest_turris.core.text.plurals import counted
from pytest_turris.findings.check import label
from pytest_turris.findings.text import laid_out
from pytest_turris.findings.verdict import Finding, Outcome, Verdict


def finding(level: Level = "must", **texts: str) -> Finding:
    """A finding with texts."""
    return Finding(**({"sent": "a request", "got": "500", "expected": "200"} | texts), level=level)


@pytest.mark.parametrize(
    ("levels", "observed", "outcome"),
    [
        ((), True, "passed"),
        ((), False, "not observed"),
        (("must",), True, "failed"),
        (("must",), False, "failed"),
        (("should",), True, "warned"),
        (("info",), True, "noted"),
        (("info", "should"), True, "warned"),
        (("info", "must", "should"), True, "failed"),
    ],
)
def test_most_serious_finding_decides(
    levels: tuple[Level, ...], observed: bool, outcome: Outcome
) -> None:
    """Must fails, should warns, info is noted; without findings it depends on what was seen."""
    found = [finding(level) for level in levels]
    assert Verdict.of(ExampleCheck(), found, observed=observed).outcome == outcome


def test_level_is_that_of_the_finding() -> None:
    """A check of level must can have a finding of another level; the heading has that."""
    verdict = Verdict.of(ExampleCheck(), [finding("info"), finding("should")])
    assert (verdict.level, verdict.check.level) == ("should", "must")
    assert Verdict.of(ExampleCheck(level="info"), []).level == "info"


def test_text_has_every_part_in_order() -> None:
    """Heading, check, sent, got, expected, why, fix, notes, page, how to ignore."""
    found = [finding(sent="one\ntwo"), finding(sent="one\ntwo", got="418", kind="status")]
    text = """\
EX-01-tokens-dont-leak-ever: failed (must)
  check:     Looks.
  sent:      one
             two
  got:       500
  expected:  200
  got:       418
  expected:  200 [status]
  why:       It would leak. Source: RFC 1.
  fix:       Close it.
  note:      n1
  note:      n2
             more
  more:      https://example.test/checks#ex-01
  explain:   turris-sandbox explain EX-01
  ignore:    @pytest.mark.turris(ignore={"EX-01": "why this is fine"})"""
    assert str(Verdict.of(ExampleCheck(), found, notes=["n1", "n2\nmore", "n1"])) == text


def test_fix_of_a_finding_is_told_in_place_of_the_checks() -> None:
    """A finding that the check's advice does not fit brings its own; each is told once."""
    found = [finding(), finding(), Finding(level="must", sent="", got="", expected="", fix="Rest.")]
    text = str(Verdict.of(ExampleCheck(), found))
    assert "  fix:       Close it.\n             Rest.\n" in text


def test_text_without_findings_is_short() -> None:
    """Where nothing is wrong, nothing is to be fixed or ignored."""
    verdict = Verdict(check=ExampleCheck(), outcome="skipped", reason="it does not apply")
    assert str(verdict).splitlines() == [
        "EX-01-tokens-dont-leak-ever: skipped (must)",
        "  check:     Looks.",
        "  reason:    it does not apply",
        "  more:      https://example.test/checks#ex-01",
        "  explain:   turris-sandbox explain EX-01",
    ]


def test_empty_values_are_left_out() -> None:
    """A label without a value is not printed; an empty first line keeps its label."""
    text = laid_out("h", [("a", ""), ("b", "1"), ("c", "\n2")])
    assert text == "h\n  b:         1\n  c:\n             2"


def test_json_has_every_key() -> None:
    """The data is complete, whether or not something was found."""
    verdict = Verdict.of(ExampleCheck(), [finding(kind="status")], notes=["n"])
    assert json.loads(json.dumps(verdict.as_json())) == {
        "id": "EX-01",
        "title": "Tokens don't leak, ever",
        "level": "must",
        "help_uri": "https://example.test/checks#ex-01",
        "outcome": "failed",
        "reason": "",
        "notes": ["n"],
        "findings": [
            {"kind": "status", "level": "must", "sent": "a request", "got": "500",
             "expected": "200"},
        ],
    }  # fmt: skip
    assert Verdict.of(ExampleCheck(), []).as_json().keys() == verdict.as_json().keys()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("wrong-same-length", "WH-05-wrong-same-length"),
        ("A 401 is retried once", "WH-05-a-401-is-retried-once"),
        ("HTTP/1.0, and more", "WH-05-http10-and-more"),
    ],
)
def test_label_is_one_word(title: str, expected: str) -> None:
    """Id and title, in lower case, with hyphens."""
    assert label(ExampleCheck(id="WH-05", title=title)) == expected


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 requests"), (1, "1 request"), (2, "2 requests")]
)
def test_counts_are_written_out(number: int, text: str) -> None:
    """No plural in brackets."""
    assert counted(number, "request") == text
