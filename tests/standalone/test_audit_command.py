"""``turris-sandbox audit``: a suite in any language gets the report of a running sandbox."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped] # it has no types
import pytest
from click.testing import CliRunner, Result
from doubles.served_here import served

from mock_server.serving.server import StandaloneSandbox
from mock_server.shell.cli import app

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "audit-report.schema.json"


@pytest.fixture(scope="module")
def shared() -> Iterator[StandaloneSandbox]:
    """A server in this process."""
    with served() as running:
        yield running


@pytest.fixture
def server(
    shared: StandaloneSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> StandaloneSandbox:
    """The server, of which nothing is known, and an empty working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package.json").touch()
    _run(shared, "clear")
    return shared


def _run(server: StandaloneSandbox, *arguments: str) -> Result:
    known = {"TURRIS_BASE_URL": server.base_url, "TURRIS_CONTROL_TOKEN": server.control_token}
    return CliRunner().invoke(app, ["audit", *arguments], env=known)


def _call(server: StandaloneSandbox, query: str = "") -> str:
    client = server.sandbox.client
    body = {"clientId": client.client_id, "clientSecret": str(client.client_secret)}
    with httpx.Client(base_url=server.base_url) as http:
        token = str(http.post("/v1/auth/jwt", json=body).json()["data"]["accessToken"])
        url = f"/v1/agents{query.format(token=token)}"
        http.get(url, headers={"Authorization": f"Bearer {token}"})
    return token


def _report(server: StandaloneSandbox, *arguments: str) -> Any:
    result = _run(server, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_report_is_that_of_a_test_run(server: StandaloneSandbox, tmp_path: Path) -> None:
    """All its files, valid by the schema; the place is the operation that was called."""
    token = _call(server, "?jwt={token}")
    result = _run(server, "--report", "audit")
    assert result.exit_code == 0
    report = json.loads((tmp_path / "audit" / "report.json").read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(report)
    assert report["run"]["requests"] == 2
    (found,) = [one for one in report["results"] if one["check"] == "RQ-01"]
    assert (found["where"], found["line"]) == ("list_agents", None)
    assert "2 requests to a running sandbox" in (tmp_path / "audit" / "report.html").read_text()
    sarif = json.loads((tmp_path / "audit" / "report.sarif").read_text())
    assert {one["ruleId"] for one in sarif["runs"][0]["results"]} >= {"RQ-01", "RQ-14"}
    assert {_file_of(one) for one in sarif["runs"][0]["results"]} == {"package.json"}
    assert "RQ-01 No token or secret is in a URL: must" in result.stdout
    assert "violated      SEC-07" in result.stdout
    for file in (tmp_path / "audit").iterdir():
        assert token not in file.read_text()
    assert token not in result.output


def _file_of(result: dict[str, Any]) -> str:
    """The file at which a code host shows a result of SARIF."""
    (location,) = result["locations"]
    return str(location["physicalLocation"]["artifactLocation"]["uri"])


def test_no_file_is_named_where_the_line_of_code_is_not_known(
    server: StandaloneSandbox, tmp_path: Path
) -> None:
    """Each finding says its operation, its run or its attack, and the numbers of its exchanges."""
    (tmp_path / "package.json").unlink()
    _call(server, "?jwt={token}")
    number = server.sandbox.journal.seen
    attacked = {"schema_version": 1, "url": "http://127.0.0.1:3000/hook"}
    attacked |= {"verdicts": [_verdict("WH-50", "failed", FORGED)]}
    (tmp_path / "verdicts.json").write_text(json.dumps(attacked))
    given = ("--fail-on", "info", "--verdicts", "verdicts.json", "--report", "audit")
    result = _run(server, *given)
    assert "  at:        list_agents\n" in result.stdout
    assert f"  sent:      exchange {number}: +" in result.stdout
    for place in ("list_agents", "turris-sandbox attack http://127.0.0.1:3000/hook"):
        assert f" at {place}: " in result.stderr
    assert "RQ-16 at the run as a whole: " in result.stderr
    (tmp_path / "audit" / "report.sarif").unlink()  # GitHub shows no result without a file
    (tmp_path / "audit" / "report.json").unlink()  # its path is that of SARIF
    told = [result.output, *(file.read_text() for file in (tmp_path / "audit").iterdir())]
    assert len(told) == 3
    for text in told:
        assert not re.search(r"(?<!in )\bturris-audit\\?\.toml\b", text)


def test_a_waiver_names_the_operation(server: StandaloneSandbox, tmp_path: Path) -> None:
    """As the finding shows it, with a star for the path that it does not show."""
    (tmp_path / "turris-audit.toml").write_text(
        """
[[waived]]
rule = "RQ-01"
place = "*::list_agents"
reason = "The gateway goes away."
owner = "Kim"
expires = 9999-06-30
"""
    )
    _call(server, "?jwt={token}")
    assert _run(server, "--fail-on", "must").exit_code == 0


@pytest.mark.parametrize(
    ("level", "query", "status"),
    [("must", "?jwt={token}", 1), ("must", "?shoe=1", 0), ("should", "?shoe=1", 1)],
)
def test_findings_decide_the_exit_status(
    server: StandaloneSandbox, level: str, query: str, status: int
) -> None:
    """Only with ``--fail-on``, and only from its level on."""
    _call(server, query)
    result = _run(server, "--fail-on", level)
    assert result.exit_code == status
    assert (f"--fail-on {level}: RQ-" in result.stderr) == bool(status)


def test_what_people_declare_counts(server: StandaloneSandbox, tmp_path: Path) -> None:
    """Attestations and waivers are read from the working directory."""
    (tmp_path / "turris-audit.toml").write_text(
        """
[[attested]]
line = "SEC-19"
statement = "Deleted after 30 days."
owner = "Dana Lee"
date = 2026-01-02
review-by = 9999-06-30

[[waived]]
rule = "RQ-01"
place = "package.json::list_agents"
reason = "The gateway goes away."
owner = "Kim"
expires = 9999-06-30
"""
    )
    _call(server, "?jwt={token}")
    report = _report(server, "--fail-on", "must")
    states = {line["id"]: line["status"] for line in report["lines"]}
    assert (states["SEC-07"], states["SEC-19"]) == ("waived", "attested")
    _run(server, "clear")
    note = (
        "note: the waiver of RQ-01 at package.json::list_agents is unused (until 9999-06-30, Kim)"
    )
    assert note in _run(server).stdout
    (tmp_path / "turris-audit.toml").write_text("[[atested]]")
    assert "did you mean 'attested'" in _run(server).stderr


def _verdict(id_: str, outcome: str, *findings: dict[str, str]) -> dict[str, Any]:
    return {"id": id_, "outcome": outcome, "reason": "", "findings": list(findings)}


FORGED = {
    "kind": "", "level": "must", "sent": "a forged webhook", "got": "204", "expected": "401",
    "why": "", "fix": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([_verdict("WH-05", "passed"), _verdict("WH-50", "passed")], "proven"),
        ([_verdict("WH-05", "passed"), _verdict("WH-50", "failed", FORGED)], "violated"),
        ([_verdict("WH-05", "as wanted"), _verdict("WH-50", "skipped")], "not observed"),
    ],
)
def test_attacks_are_evidence(
    server: StandaloneSandbox, tmp_path: Path, verdicts: list[dict[str, Any]], status: str
) -> None:
    """What an attack showed decides about the line on webhooks; what it did not see does not."""
    report = {"schema_version": 1, "url": "http://127.0.0.1:3000/hook", "verdicts": verdicts}
    (tmp_path / "verdicts.json").write_text(json.dumps(report))
    found = _report(server, "--verdicts", "verdicts.json")
    assert {line["id"]: line["status"] for line in found["lines"]}["SEC-13"] == status


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "not a report"),
        ('{"schema_version": 9}', "schema_version 9 is not known"),
        ('{"schema_version": 1, "verdicts": [{"id": "WH-999", "outcome": "passed"}]}', "not a rep"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    server: StandaloneSandbox, tmp_path: Path, text: str, words: str
) -> None:
    """With exit status 2, and nothing is taken for proven."""
    (tmp_path / "verdicts.json").write_text(text)
    result = _run(server, "--verdicts", "verdicts.json")
    assert result.exit_code == 2
    assert words in result.stderr


def test_files_that_cannot_be_used_are_named(server: StandaloneSandbox, tmp_path: Path) -> None:
    """A report that is not there, and a directory that cannot be made."""
    result = _run(server, "--verdicts", "nowhere.json")
    assert "nowhere.json: No such file" in result.stderr
    (tmp_path / "file").touch()
    assert "--report file" in _run(server, "--report", "file/audit").stderr


def test_it_is_complete_without_requests(server: StandaloneSandbox) -> None:
    """The report says that nothing is proven; its controls are commands below it."""
    result = _run(server)
    assert "nothing is proven: no check had anything to look at" in result.stdout
    assert json.loads(_run(server, "evidence").stdout)["requests"] == 0


SECRET = "turris_sandbox_secret_0123456789abcdef"


def _scan(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["scan", *arguments], env={"TURRIS_CLIENT_SECRET": SECRET})


def test_a_scan_names_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential is a finding of level must, which fails the command; it is not shown."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "app.js").write_text(f"let a\nlet b = '{SECRET}'\n")
    result = _scan("dist", "--report", "audit")
    assert result.exit_code == 1
    assert "dist/app.js:2" in result.stdout
    assert "1 finding in 1 file" in result.stdout
    assert SECRET not in result.output
    report = json.loads((tmp_path / "audit" / "report.json").read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(report)
    assert {one["id"]: one["status"] for one in report["lines"]}["SEC-01"] == "violated"


def test_a_scan_without_findings_succeeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The allowlist is that of the project; a path that does not exist is a mistake."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.js").write_text(SECRET)
    entry = '[[allowed]]\nrule = "FE-01"\nplace = "app.js"\nreason = "a demo"\n'
    (tmp_path / "turris-audit.toml").write_text(entry)
    result = _scan("app.js")
    assert (result.exit_code, "0 findings in 1 file" in result.stdout) == (0, True)
    assert _scan("nowhere").exit_code == 2


def test_a_project_may_name_what_is_scanned(server: StandaloneSandbox, tmp_path: Path) -> None:
    """Then the report of the sandbox has it too."""
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "app.js").write_text("let a")
    (tmp_path / "turris-audit.toml").write_text('[scan]\npath = ["dist"]\n')
    report = _report(server)
    assert {one["id"]: one["status"] for one in report["lines"]}["SEC-01"] == "no violation"
