"""The end of an audited run: one assessment of all evidence, on the terminal and in files."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_turris.audit.assessment import Assessment, Ledger, RunFacts, assess
from pytest_turris.audit.declarations import FILE_NAME
from pytest_turris.audit.evidence import Evidence
from pytest_turris.audit.places import base_of
from pytest_turris.audit.reports import terminal
from pytest_turris.audit.reports.document import Document, report_document
from pytest_turris.audit.reports.files import write_reports
from pytest_turris.core.text.plurals import counted
from pytest_turris.hooks.audit import EVIDENCE, begin_audit, read_declarations
from pytest_turris.process.system_clock import system_time

_REPORT_OPTION = "--turris-audit-report"

_CRASHED = "???"
"""What pytest-xdist reports as the phase of a test in which a worker crashed."""

_GREEN = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
_HERE = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "setup.py")


def begin_report(config: pytest.Config) -> None:
    """Audit the run, and report at its end, as the command line says.

    Raises:
        pytest.UsageError: The directory of the report cannot be made.
    """
    begin_audit(config)
    if not hasattr(config, "workerinput"):  # a worker of pytest-xdist reports to its controller
        option = config.option
        strict, directory = option.turris_audit == "strict", option.turris_audit_report
        if directory and not option.collectonly:
            _make_directory(Path(directory))
        report = AuditReport(config, strict=strict, directory=directory)
        config.pluginmanager.register(report, "turris_audit_report")


def _make_directory(directory: Path) -> None:
    """Make the directory of the report: a mistake is worth more before a long run than after it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(
            f"turris: {_REPORT_OPTION} {directory}: cannot make this directory: "
            f"{error.strerror or error}. Name one that can be written to"
        ) from None


class AuditReport:
    """Collects the evidence of all processes; judges it when the session is over."""

    def __init__(self, config: pytest.Config, *, strict: bool, directory: str | None) -> None:
        self._config = config
        self._strict = strict
        self._directory = Path(directory) if directory else None
        self._declared = read_declarations(config)
        self._ledger = Ledger()
        self._facts = RunFacts()
        self._finished: set[str] = set()
        self._assessed: Assessment | None = None
        self._written = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the evidence of a test, from this process or from a worker."""
        if report.when == _CRASHED:
            self._facts.problems.append(
                f"a worker crashed in {report.nodeid}: what it saw in that test is lost"
            )
        if report.when != "teardown":
            return
        self._finished.add(report.nodeid)
        row: dict[str, Any] | None = getattr(report, EVIDENCE, None)
        if row is not None:
            self._facts.channels |= row.pop("channels", {})
            told = row.pop("problems", [])  # twice, if two workers run each test
            self._facts.problems += [one for one in told if one not in self._facts.problems]
            evidence = Evidence.of_json(row)
            if not evidence.is_empty:
                self._ledger.add(evidence)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge, write the files, and let a strict run fail."""
        if self._config.option.collectonly:
            return
        found = report_document(self.judge(session.testscollected))
        if self._directory:
            self._written = self._write(found, self._directory)
        _add_to_junit(self._config, found["lines"])
        if self._strict and self._failures() and session.exitstatus in _GREEN:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, found: Document, directory: Path) -> str:
        """Write the files, and return what to say about them: an exception would end pytest."""
        try:
            write_reports(found, directory)
        except OSError as error:
            name = Path(error.filename or directory).name
            return (
                f"{_REPORT_OPTION} {directory}: cannot write {name}: {error.strerror or error}. "
                "There is no whole report of this run"
            )
        return f"report: {directory / 'report.html'}"

    def _failures(self) -> list[str]:
        return self._assessed.failures() if self._assessed else []

    def judge(self, collected: int) -> Assessment:
        """Judge all evidence.

        Args:
            collected: How many tests were collected.
        """
        facts = self._facts
        facts.tests, facts.with_sandbox = len(self._finished), len(self._ledger)
        missing = collected - len(self._finished)
        if missing > 0:
            facts.problems.append(
                f"{counted(missing, 'test')} of {collected} did not finish, "
                "and gave no evidence: the run stopped early, or a process died"
            )
        if not self._finished:
            facts.problems.append("no test ran")
        if self._declared.scanned:
            self._scan()
        self._assessed = assess(
            self._ledger, self._declared, facts, system_time(), here=self._here()
        )
        return self._assessed

    def _scan(self) -> None:
        """Look through the files that ``turris-audit.toml`` names."""
        from pytest_turris.audit.scans.scan import scan  # noqa: PLC0415 - few projects name any

        root = self._config.rootpath
        found = scan(
            [root / name for name in self._declared.scanned],
            base=base_of(root),
            allowed=self._declared.allowed,
            environment=os.environ,
        )
        self._facts.problems += found.problems
        self._facts.allowed = found.allowed
        self._ledger.add(found.evidence)

    def _here(self) -> str:
        """An existing file for findings without a line: code hosts require one."""
        root = self._config.rootpath
        found = [root / name for name in _HERE if (root / name).exists()]
        found += [root / name.partition("::")[0] for name in sorted(self._finished)]
        return found[0].relative_to(base_of(root)).as_posix() if found else FILE_NAME

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the checklist, each finding, and further notes."""
        if self._assessed is None:
            return
        found = report_document(self._assessed)
        out = terminalreporter
        out.section("turris audit: Security Best Practices", sep="-")
        for level, text in terminal.findings(found):
            heading, _, rest = text.partition("\n")
            out.line(heading, bold=True, **_markup(level))
            out.line(f"{rest}\n")
        for status, text in terminal.table(found):
            out.line(text, **_markup(status))
        for note in terminal.notes(found):
            out.line(f"note: {note}", yellow=True)
        out.line(terminal.summary(found), bold=True)
        if self._written:
            out.line(self._written)
        if self._strict:
            for failure in self._assessed.failures():
                out.line(f"--turris-audit=strict fails the run: {failure}", red=True)


def report_on(
    terminalreporter: pytest.TerminalReporter, reports: Iterable[pytest.TestReport]
) -> None:
    """Write the report of a run in which only some tests asked for the fixture ``turris_audit``."""
    found = AuditReport(terminalreporter.config, strict=False, directory=None)
    for report in reports:
        found.pytest_runtest_logreport(report)
    found.judge(len({report.nodeid for report in reports}))
    found.pytest_terminal_summary(terminalreporter)


def _markup(name: str) -> dict[str, bool]:
    """How pytest colours a status or a level; its name for magenta is purple."""
    colour = terminal.COLOURS.get(name, "")
    return {colour.replace("magenta", "purple"): True} if colour else {}


def _add_to_junit(config: pytest.Config, lines: list[dict[str, Any]]) -> None:
    from _pytest.junitxml import xml_key  # noqa: PLC0415 - only an audited run needs it

    xml = config.stash.get(xml_key, None)
    if xml is not None:
        for line in lines:
            xml.add_global_property(f"turris-audit-{line['id']}", line["status"])
