"""Verdicts of ``turris-sandbox attack --json`` as evidence of an audit."""

from pathlib import Path
from typing import Any

from mock_server.shell.mistakes import fail
from pytest_turris.audit.evidence import Evidence
from pytest_turris.audit.families import check_of
from pytest_turris.audit.places import Place
from pytest_turris.findings.verdict import Finding, Outcome, Verdict
from pytest_turris.process.reading.input_file import read_input
from pytest_turris.process.reading.user_documents import DocumentError, json_of_user

_KNOWN = 1
_ANOTHER = "not a report of 'turris-sandbox attack --json'"


def evidence_in(file: Path, here: str) -> Evidence:
    """Return the evidence in a report; a file of another kind ends the command.

    Args:
        file: The report.
        here: The file that stands for the project: a receiver's line is not known.
    """
    try:
        report = json_of_user(read_input(file))
        if report["schema_version"] != _KNOWN:
            fail(f"--verdicts {file}: schema_version {report['schema_version']} is not known here")
        verdicts = [_verdict(row) for row in report["verdicts"]]
    except OSError as error:
        fail(f"--verdicts {file}: {error.strerror or error}")
    except DocumentError as error:
        fail(f"--verdicts {file}: {_ANOTHER}: {error}")
    except (ValueError, KeyError, TypeError):
        fail(f"--verdicts {file}: {_ANOTHER}")
    evidence = Evidence(test=f"turris-sandbox attack {report['url']}")
    for verdict in verdicts:
        evidence.note_verdict(verdict, Place(path=here, line=0))
    return evidence


def _verdict(row: dict[str, Any]) -> Verdict:
    """Return a verdict of the report.

    "As wanted" means that no effects were seen, so it proves nothing.
    """
    outcome: Outcome = row["outcome"] if row["outcome"] != "as wanted" else "not observed"
    return Verdict(
        check=check_of(row["id"]),
        outcome=outcome,
        reason=row["reason"],
        findings=tuple(Finding(**finding) for finding in row["findings"]),
    )
