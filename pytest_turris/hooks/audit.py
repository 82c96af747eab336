"""``--turris-audit``: what each test shows about the vendor's security page, and the report.

In a worker of pytest-xdist this collects the evidence of each test, which goes to the controller on
the test's report. There, as in a run without workers, it becomes one assessment.
"""

from collections.abc import Generator
from pathlib import Path

import pytest

from pytest_turris.audit.checks import KINDS, OWN
from pytest_turris.audit.evidence import Evidence
from pytest_turris.audit.places import Place, PlaceFinder, base_of
from pytest_turris.audit.rules.catalogue import look_at
from pytest_turris.audit.seen import SandboxRecord
from pytest_turris.audit.spellings import SecretForms, secrets_of
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.errors import IgnoreError
from pytest_turris.findings.ignore import IgnoredChecks
from pytest_turris.findings.verdict import Finding, Verdict
from pytest_turris.hooks.summary import VERDICTS

NAME = "turris_audit"
EVIDENCE = "turris_audit"
"""The member of a test's report that holds its evidence."""

_OTHERS = ("WH-", "TC-", "AR-")
_PROVOKED = frozenset({"turris_token_case", "turris_hostile_answer", "turris_webhook_attack"})
"""In tests with these fixtures the kit provokes the application: their verdict is the evidence."""


class TestAudit:
    """The audit of one test: what is watched in it, and what it shows."""

    __test__ = False

    def __init__(self, item: pytest.Item, finder: PlaceFinder) -> None:
        self.evidence = Evidence(test=item.nodeid)
        self.place = _place_of(item, finder)
        self.ignored = IgnoredChecks(OWN, _OTHERS)
        self._item = item
        self._finder = finder
        self._records: list[SandboxRecord] = []

    def watch(self, sandbox: Sandbox) -> None:
        """Note what a sandbox sees from now on."""
        code = getattr(getattr(self._item, "function", None), "__code__", None)
        record = SandboxRecord(sandbox, test=code, here=self.place, finder=self._finder)
        self._records.append(record)

    def finish(self) -> Evidence:
        """What the test showed."""
        evidence = self.evidence
        evidence.ignored |= {id_: why for id_ in OWN if (why := self.ignored.reason(id_))}
        provoked = not _PROVOKED.isdisjoint(getattr(self._item, "fixturenames", ()))
        for record in self._records:
            record.stop()
            if not provoked:
                look_at(record, evidence, frozenset(evidence.ignored))
        for verdict in self._item.stash.get(VERDICTS, []):
            evidence.note_verdict(verdict, self.place)
        return self._scrubbed(evidence)

    def _scrubbed(self, evidence: Evidence) -> Evidence:
        """The evidence without any secret of the test's sandboxes, in any spelling."""
        if not evidence.spotted:
            return evidence
        forms = SecretForms(
            secret for record in self._records for secret in secrets_of(record.sandbox)
        )
        row = _without(forms, evidence.as_json())
        assert isinstance(row, dict)  # noqa: S101 - as it went in
        return Evidence.of_json(row)


class Auditor:
    """Watches the tests of one process, and puts what they show on their reports."""

    def __init__(self, config: pytest.Config) -> None:
        self.base = base_of(config.rootpath)
        self._config = config
        self._finder = PlaceFinder(self.base)
        self._audits: dict[str, TestAudit] = {}

    def audit_of(self, item: pytest.Item) -> TestAudit:
        """The audit of a test; it begins when it is first asked for."""
        __tracebackhide__ = True
        audit = self._audits.get(item.nodeid)
        if audit is None:
            audit = self._audits[item.nodeid] = TestAudit(item, self._finder)
            _apply_markers(item, audit.ignored)
        return audit

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Judge what was seen, once all fixtures of the test are gone."""
        try:
            return (yield)
        finally:
            audit = self._audits.get(item.nodeid)
            if audit or VERDICTS in item.stash:
                self._finish(item)

    def _finish(self, item: pytest.Item) -> None:
        evidence = self.audit_of(item).finish()
        self._note_forgeries(evidence, item)
        for one in evidence.spotted:
            if one.check.startswith(KINDS):
                words = f"{one.check} {one.level} at {one.place}: {one.finding.got}"
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
        report = yield
        if call.when == "teardown" and (audit := self._audits.pop(item.nodeid, None)):
            setattr(report, EVIDENCE, audit.evidence.as_json())
        return report


def auditor_of(config: pytest.Config) -> Auditor | None:
    """The auditor of this process, if the run is audited."""
    found: Auditor | None = config.pluginmanager.getplugin(NAME)
    return found


def begin_audit(config: pytest.Config) -> Auditor:
    """Audit the rest of the run, unless it is audited already."""
    auditor = auditor_of(config)
    if auditor is None:
        auditor = Auditor(config)
        config.pluginmanager.register(auditor, NAME)
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
    """The line of a test; for one outside of the base, the name of its file."""
    _, line, name = item.location
    path = finder.relative(str(item.path)) or Path(item.path).name
    function = getattr(getattr(item, "function", None), "__qualname__", name)
    return Place(path=path, line=(line or 0) + 1, symbol=function)


def _without(forms: SecretForms, found: object) -> object:
    if isinstance(found, str):
        return forms.scrub(found)
    if isinstance(found, dict):
        return {name: _without(forms, part) for name, part in found.items()}
    if isinstance(found, list):
        return [_without(forms, part) for part in found]
    return found
