"""The findings as SARIF: valid by the official schema, by GitHub's rules and by the multitool."""

import datetime as dt
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it has no types
import pytest

from pytest_turris.audit.assessment import Ledger, RunFacts, assess
from pytest_turris.audit.checks import OWN
from pytest_turris.audit.declarations import Declarations, Waiver
from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.places import Place
from pytest_turris.audit.reports import sarif as module
from pytest_turris.audit.reports.document import report_document
from pytest_turris.audit.reports.sarif import sarif
from pytest_turris.findings.verdict import Finding

SCHEMA = Path(__file__).with_name("sarif-schema-2.1.0.json")
"""Of github.com/oasis-tcs/sarif-spec, sarif-2.1/schema."""

NOW = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
WAIVED = Waiver(
    rule="RQ-04", place="src/*", reason="a test", owner="Kim", expires=dt.date(2027, 6, 30)
)
_NODE = Path(__file__).with_name("tools") / "node_modules"
_TOOL = _NODE / "@microsoft" / "sarif-multitool-linux" / "Sarif.Multitool"
"""The program itself: the script around it gives its arguments to a shell."""


def _log(count: int = 1) -> Any:  # noqa: ANN401 - JSON
    """The log of a run in which each check of the audit found something, with odd texts in it."""
    ledger = Ledger()
    for number in range(count):
        evidence = Evidence(test=f"test_it.py::test_{number}")
        for check in OWN.values():
            finding = Finding(
                level=check.level, sent="", got='<b>50 %</b> "{0}" \x1b[2K', expected="nothing"
            )
            place = Place(path=f"src/a b/äpp_{number}.py", line=3, symbol="Client.call")
            spotted = Spotted(check=check.id, finding=finding, place=place, test=evidence.test)
            evidence.note(check.id, 1, [spotted])
        ledger.add(evidence)
    declared = Declarations(waived=(WAIVED,))
    return sarif(
        report_document(assess(ledger, declared, RunFacts(tests=count), NOW, here="setup.py"))
    )


def test_it_is_valid_by_the_official_schema() -> None:
    """SARIF 2.1.0; a log that is not is refused by the same schema."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft4Validator.check_schema(schema)
    validator = jsonschema.Draft4Validator(schema)
    log = _log()
    assert [error.message for error in validator.iter_errors(log)] == []
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert list(validator.iter_errors(log))


def test_it_is_what_github_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One run, at most 5,000 results, a relative place and a rule with its severity for each."""
    assert module._MOST == 5_000
    monkeypatch.setattr(module, "_MOST", 50)
    (run,) = _log(count=2)["runs"]
    assert len(run["results"]) == 50
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert re.fullmatch(r"(?:[A-Z][a-z0-9]*)+", rule["name"]), rule["name"]
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert len(rule["shortDescription"]["text"]) <= 1_024
    assert len({rule["name"] for rule in rules}) == len(rules)
    for result in run["results"]:
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.startswith("src/a%20b/%C3%A4pp_")
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_what_is_waived_is_suppressed() -> None:
    """With its reason; the rest is not."""
    suppressed = [one for one in _log()["runs"][0]["results"] if "suppressions" in one]
    assert [one["ruleId"] for one in suppressed] == ["RQ-04"]
    assert suppressed[0]["suppressions"][0]["justification"] == "a test (Kim, until 2027-06-30)"


def _problems(log: Mapping[str, Any], directory: Path) -> list[str]:
    """The rules for SARIF, and those of GitHub, that Microsoft's tool finds broken."""
    (directory / "report.sarif").write_text(json.dumps(log))
    done = subprocess.run(
        [_TOOL, "validate", "report.sarif", "--rule-kind", "Sarif;Ghas", "-o", "found.sarif"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Analysis completed successfully." in done.stdout, done.stdout + done.stderr
    (run,) = json.loads((directory / "found.sarif").read_text("utf-8-sig"))["runs"]
    return [one["ruleId"] for one in run.get("results", ())]


def test_the_multitool_finds_nothing(tmp_path: Path) -> None:
    """With its rules for GitHub; it finds a result without a place."""
    if not _TOOL.exists():
        assert os.environ.get("TURRIS_REQUIRE_ALL") != "1", "run 'make node-packages'"
        pytest.skip("@microsoft/sarif-multitool is not installed: make node-packages")
    log = _log()
    assert _problems(log, tmp_path) == []
    log["runs"][0]["results"][0]["locations"] = []
    (tmp_path / "found.sarif").unlink()
    assert "GH1015" in _problems(log, tmp_path)
