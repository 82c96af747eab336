"""``--turris-audit``: the evidence of each test about the vendor's security page, and the report.

In a worker of pytest-xdist this collects the evidence of each test, which goes to the controller on
the test's report. There, as in a run without workers, it becomes one assessment.
"""

from collections.abc import Generator
from pathlib import Path
from types import CodeType

import pytest

from pytest_turris.audit.checks import KINDS, OWN
from pytest_turris.audit.declarations import FILE_NAME, DeclarationError, Declarations
from pytest_turris.audit.evidence import Evidence
from pytest_turris.audit.families import all_checks
from pytest_turris.audit.leaks.search import LeakSearch
from pytest_turris.audit.leaks.tap import Taps
from pytest_turris.audit.places import CallSite, Place, PlaceFinder, base_of
from pytest_turris.audit.rules.catalogue import look_at
from pytest_turris.audit.rules.log import LogAudit
from pytest_turris.audit.rules.log_file import LogFile
from pytest_turris.audit.rules.logged import LoggedAnswers
from pytest_turris.audit.seen import SandboxRecord
from pytest_turris.audit.spellings import SecretForms, scrubbed, secrets_of
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.base_url import split_base_url
from pytest_turris.findings.errors import IgnoreError
from pytest_turris.findings.ignore import IgnoredChecks
from pytest_turris.findings.verdict import Finding, Verdict
from pytest_turris.hooks.audit_canaries import Canaries
from pytest_turris.hooks.audit_taps import PytestTaps
from pytest_turris.hooks.log_sources import LogSources
from pytest_turris.hooks.summary import VERDICTS

_NAME = "turris_audit"
EVIDENCE = "turris_audit"
"""The member of a test's report that holds its evidence."""

_OUTPUT = ("stdout", "stderr")
_OTHERS = ("WH-", "TC-", "AR-")
_PROVOKED = frozenset({"turris_token_case", "turris_hostile_answer", "turris_webhook_attack"})
"""These fixtures provoke the application, so in their tests only the verdict is evidence."""


class TestAudit:
    """The audit of one test: what it watches, and its evidence."""

    __test__ = False

    def __init__(self, item: pytest.Item, auditor: "Auditor") -> None:
        self.evidence: Evidence = Evidence(test=item.nodeid)
        self.place: Place = _place_of(item, auditor.finder)
        self.ignored: IgnoredChecks = IgnoredChecks(OWN, _OTHERS)
        files = [auditor.root / name for name in auditor.declared.log_files]
        self.log: LogSources = LogSources(auditor.declared.loggers, files)
        self._item = item
        self._auditor = auditor
        self._finder = auditor.finder
        self._code: CodeType | None = getattr(getattr(item, "function", None), "__code__", None)
        self._records: list[SandboxRecord] = []
        self._traces = auditor.taps.begin(self._code)

    def watch(self, sandbox: Sandbox) -> None:
        """Note what a sandbox sees from now on."""
        record = SandboxRecord(
            sandbox,
            test=self._code,
            here=self.place,
            finder=self._finder,
            sent_from=self._auditor.taps.sent_from,
        )
        self._records.append(record)

    @property
    def problems(self) -> list[str]:
        """What is missing in the evidence, in sentences: there is an end to what is kept."""
        requests = sum(record.dropped for record in self._records)
        left = {"request": requests, "text": self._traces.dropped}
        told = [counted(count, name) for name, count in left.items() if count]
        left_out = f"of {self.evidence.test}"
        return [f"the audit left out the last {one} {left_out}" for one in told] + self.log.problems

    def finish(self) -> Evidence:
        """Return the evidence of the test."""
        evidence = self.evidence
        evidence.ignored |= {id_: why for id_ in OWN if (why := self.ignored.reason(id_))}
        provoked = not _PROVOKED.isdisjoint(getattr(self._item, "fixturenames", ()))
        for record in self._records:
            record.stop()
            if not provoked:
                look_at(record, evidence, frozenset(evidence.ignored))
        forms = SecretForms(
            secret for record in self._records for secret in secrets_of(record.sandbox)
        )
        if not provoked:
            self._search(forms)
            self._judge_log(forms)
            self._judge_answers()
        for verdict in self._item.stash.get(VERDICTS, []):
            evidence.note_verdict(verdict, self.place)
        evidence.spotted = [one for one in evidence.spotted if one.check not in evidence.ignored]
        if evidence.spotted:
            # No secret of the test's sandboxes leaves this process, in any spelling.
            self.evidence = evidence = Evidence.of_json(scrubbed(forms, evidence.as_json()))
        return evidence

    def _search(self, forms: SecretForms) -> None:
        own = self._own_files()
        search = LeakSearch(self.evidence, forms, self._finder, self.place, own)
        search.search(self._traces, self._own_addresses(), self._auditor.blind)
        if not self._auditor.blind["LK-09"]:
            for _, kind, text in self._item._report_sections:  # noqa: SLF001 - there is no other way
                if kind in _OUTPUT and "LK-02" not in {one.check for one in self.evidence.spotted}:
                    search.text("LK-09", text)

    def _own_addresses(self) -> frozenset[int | str]:
        """Of the sandbox's sockets: the ports that sent to them, and the hosts that they have."""
        seen = (one for record in self._records for one in record.seen if not one.in_process)
        requests = [one.request for one in seen]
        urls = [split_base_url(f"https://{request.host}") for request in requests]
        ports = (request.client_port for request in requests)
        return frozenset((*ports, *(url.hostname or "" for url in urls if url)))

    def _judge_answers(self) -> None:
        own = self._own_files()
        traces = [
            one
            for one in self._traces.texts
            if one.check == "LK-04" or one.call.code is None or one.call.code.co_filename not in own
        ]
        for record in self._records:
            answers = LoggedAnswers(self.evidence, record, traces, self._finder)
            answers.judge(frozenset(self.evidence.ignored))

    def _own_files(self) -> set[str]:
        """The source files of the test: they log and write on purpose."""
        own = {str(self._item.path)}
        return own | {call.code.co_filename for call in self._of_fixtures() if call.code}

    def _of_fixtures(self) -> list[CallSite]:
        """The calls of conftest files, which are the tests' own."""
        calls = [trace.call for trace in self._traces.texts]
        calls += self._traces.opened.calls.values()
        return [
            call
            for call in calls
            if call.code and Path(call.code.co_filename).name == "conftest.py"
        ]

    def _judge_log(self, forms: SecretForms) -> None:
        lines = self.log.lines(self._traces.texts)
        if lines is not None:
            for record in self._records:
                LogAudit(self.evidence, record, lines, forms, self._finder).judge()


class Auditor:
    """Watches the tests of one process, and puts the evidence on their reports.

    Raises:
        pytest.UsageError: ``turris-audit.toml`` cannot be read.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.root: Path = config.rootpath
        self.finder: PlaceFinder = PlaceFinder(base_of(config.rootpath))
        self.declared: Declarations = read_declarations(config)
        self.taps: Taps = Taps()
        self.blind: dict[str, str] = {}
        """For each channel of the leak watch, why it cannot see leaks; empty if it can."""
        self._ours = PytestTaps(self.taps)
        self._config = config
        self._audits: dict[str, TestAudit] = {}

    def pytest_unconfigure(self) -> None:
        """Remove the taps."""
        if self.blind:
            self._ours.remove()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> None:
        """Put the taps in place before the first test, and try each with a canary."""
        if not self.blind:
            self._ours.install()
            self.blind = Canaries(self._config, self.taps, self._ours).blind()

    def audit_of(self, item: pytest.Item) -> TestAudit:
        """The audit of a test; it begins when it is first asked for."""
        __tracebackhide__ = True
        if item.nodeid not in self._audits:
            self._audits[item.nodeid] = audit = TestAudit(item, self)
            _apply_markers(item, audit.ignored)
        return self._audits[item.nodeid]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Judge the observations after all fixtures of the test are torn down."""
        if item.nodeid in self._audits:
            self._ours.note_reprs(getattr(item, "funcargs", {}))
        try:
            return (yield)
        finally:
            audit = self._audits.get(item.nodeid)
            if audit or VERDICTS in item.stash:
                self._finish(item)

    def _finish(self, item: pytest.Item) -> None:
        evidence = self.audit_of(item).finish()
        self.taps.begin(None)
        self._note_forgeries(evidence, item)
        for one in evidence.spotted:
            if one.check.startswith(KINDS):
                words = f"{one.check} {one.level} at {one.where}: {one.finding.got}"
                item.user_properties.append(("turris-audit", words))

    def _note_forgeries(self, evidence: Evidence, item: pytest.Item) -> None:
        verification = self._config.pluginmanager.getplugin("turris_verify_webhooks")
        if verification is None:
            return
        tried, accepted = verification.take_results()
        check = OWN["VW-1"]
        for description in accepted[:1]:
            finding = Finding(
                level=check.level, sent=description.strip(), got="a forged webhook was accepted",
                expected="a refusal with 4xx", why=check.why, fix=check.fix,
            )  # fmt: skip
            verdict = Verdict.of(check, [finding])
            evidence.note_verdict(verdict, self.audit_of(item).place)
        evidence.note(check.id, tried - len(accepted[:1]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the evidence on the report of the teardown, with which a test is over."""
        if call.excinfo and item.nodeid in self._audits:
            self._ours.note_exception(call.excinfo.value, call.excinfo.tb)
        report = yield
        if call.when == "teardown" and (audit := self._audits.pop(item.nodeid, None)):
            row = audit.evidence.as_json() | {"channels": self.blind, "problems": audit.problems}
            setattr(report, EVIDENCE, row)
        return report


def auditor_of(config: pytest.Config) -> Auditor | None:
    """The auditor of this process, if the run is audited."""
    found: Auditor | None = config.pluginmanager.getplugin(_NAME)
    return found


def begin_audit(config: pytest.Config) -> Auditor:
    """Audit the rest of the run, unless it is audited already."""
    auditor = auditor_of(config)
    if auditor is None:
        auditor = Auditor(config)
        config.pluginmanager.register(auditor, _NAME)
    return auditor


def _apply_markers(item: pytest.Item, ignored: IgnoredChecks) -> None:
    __tracebackhide__ = True
    mistake = ""
    try:
        for marker in reversed(list(item.iter_markers("turris"))):
            ignored.add_marked(marker.kwargs.get("ignore", {}))
    except IgnoreError as error:
        mistake = str(error)
    if mistake:
        pytest.fail(f"turris marker: {mistake}", pytrace=False)


def _place_of(item: pytest.Item, finder: PlaceFinder) -> Place:
    """The line of a test; for a test outside the base, the name of its file."""
    _, line, name = item.location
    path = finder.relative(str(item.path)) or Path(item.path).name
    function = getattr(getattr(item, "function", None), "__qualname__", name)
    return Place(path=path, line=(line or 0) + 1, symbol=function)


def read_declarations(config: pytest.Config) -> Declarations:
    """What ``turris-audit.toml`` declares, next to the ini file.

    Raises:
        pytest.UsageError: It cannot be read, or the log that it names.
    """
    try:
        declared = Declarations.read(config.rootpath / FILE_NAME, lambda: iter(all_checks()))
        for name in declared.log_files:
            LogFile(config.rootpath / name)
    except DeclarationError as error:
        raise pytest.UsageError(f"turris audit: {error}") from None
    return declared
