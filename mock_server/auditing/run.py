"""One run of ``turris-sandbox audit``: the evidence of a sandbox becomes the report."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mock_server.auditing.printing import show_audit
from mock_server.auditing.verdicts import evidence_in
from mock_server.controlling.client import SandboxAddress, call
from mock_server.controlling.rows import rows
from mock_server.shell.mistakes import fail
from pytest_turris.audit.assessment import Ledger, RunFacts, assess
from pytest_turris.audit.declarations import FILE_NAME, DeclarationError, Declarations
from pytest_turris.audit.evidence import Evidence
from pytest_turris.audit.families import all_checks
from pytest_turris.audit.places import base_of
from pytest_turris.audit.reports.document import report_document
from pytest_turris.audit.scans.scan import scan
from pytest_turris.core.levels import Level
from pytest_turris.process.system_clock import system_time

_PROJECTS = (
    "package.json", "pyproject.toml", "go.mod", "pom.xml", "build.gradle", "composer.json",
    "Gemfile", "Cargo.toml", FILE_NAME,
)  # fmt: skip
"""Files that stand for a project: waivers and code hosts need a path for what has no line."""


def audit_served(
    *,
    fail_on: Level | None,
    directory: Path | None,
    verdicts: Iterable[Path],
    declarations: Path,
    url: str,
    token: str,
    tenant: str,
    as_json: bool,
) -> int:
    """Audit a running sandbox; return the exit status."""
    declared, here = read_declared(declarations), project_file()
    row = next(row for row in rows() if row["name"] == "audit evidence")
    address = SandboxAddress(url=url.rstrip("/"), token=token, tenant=tenant)
    answer = call(address, row, {} if tenant else {"everywhere": True})
    ledger, facts = Ledger(), RunFacts(requests=answer["requests"])
    for evidence in (answer["evidence"], *answer["others"]):
        ledger.add(_placed(Evidence.of_json(evidence), here))
    for file in verdicts:
        ledger.add(evidence_in(file, here))
    if declared.scanned:
        ledger.add(
            _scanned([declarations.parent / one for one in declared.scanned], declared, facts)
        )
    assessed = assess(ledger, declared, facts, system_time(), here=here)
    return show_audit(
        assessed, report_document(assessed), directory, fail_on=fail_on, as_json=as_json
    )


def scan_files(
    *,
    paths: tuple[Path, ...],
    fail_on: Level,
    directory: Path | None,
    declarations: Path,
    as_json: bool,
) -> int:
    """Scan files and directories; return the exit status."""
    for path in paths:
        if not path.exists():
            fail(f"{path.as_posix()} does not exist")
        if not path.is_file() and not path.is_dir():
            fail(f"{path.as_posix()} is neither a file nor a folder")
    declared, here, facts = read_declared(declarations), project_file(), RunFacts(requests=0)
    evidence = _scanned(paths, declared, facts)
    assessed = assess([evidence], declared, facts, system_time(), here=here)
    return show_audit(
        assessed,
        report_document(assessed),
        directory,
        fail_on=fail_on,
        as_json=as_json,
        files=evidence.ran.get("FE-01", 0),
    )


def _scanned(paths: Iterable[Path], declared: Declarations, facts: RunFacts) -> Evidence:
    found = scan(paths, base=base_of(Path.cwd()), allowed=declared.allowed, environment=os.environ)
    facts.problems += found.problems
    facts.allowed = found.allowed
    return found.evidence


def read_declared(file: Path) -> Declarations:
    """Return what a file declares; a mistake in it ends the command."""
    try:
        return Declarations.read(file, lambda: iter(all_checks()))
    except DeclarationError as error:
        fail(f"--declarations: {error}")


def project_file() -> str:
    """Return the name of the file that stands for the project in the working directory."""
    return next((name for name in _PROJECTS if Path(name).exists()), FILE_NAME)


def _placed(evidence: Evidence, here: str) -> Evidence:
    """Return the same, with the project's file as path, and the numbers of the exchanges."""
    evidence.spotted = [
        replace(
            one,
            place=replace(one.place, path=here),
            exchanges=tuple(
                f"exchange {number}: {text}"
                for number, text in zip(one.numbers, one.exchanges, strict=True)
            ),
        )
        for one in evidence.spotted
    ]
    return evidence
