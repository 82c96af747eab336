"""A run with tests that use the sandbox: what begins with it, and the summary at its end.

``plugin.py`` imports this only then: it is loaded in every run of every user.
"""

from collections.abc import Collection, Iterator

import pytest

from pytest_turris.hooks.failure_report import begin_watch
from pytest_turris.hooks.run_parallel import mark_thread_unsafe
from pytest_turris.hooks.summary import write_summary

_SUMMARISED = ("skipped", "passed")


def begin_run(config: pytest.Config, items: Collection[pytest.Item]) -> None:
    """Watch a run with these tests, which use fixtures of the sandbox."""
    begin_watch(config)
    mark_thread_unsafe(config, items)
    if any("turris_audit" in getattr(item, "fixturenames", ()) for item in items):
        from pytest_turris.hooks.audit import begin_audit  # noqa: PLC0415 - few tests ask for it

        begin_audit(config)


def summarise(terminal: pytest.TerminalReporter) -> None:
    """Write the audit of a run in which only some tests asked for it, and what checks noted."""
    audited = [report for report in _reports(terminal) if hasattr(report, "turris_audit")]
    if audited and not terminal.config.pluginmanager.has_plugin("turris_audit_report"):
        from pytest_turris.hooks.audit_report import report_on  # noqa: PLC0415 - as above

        report_on(terminal, audited)
    told = [
        report
        for report in _reports(terminal, *_SUMMARISED)
        if getattr(report, "user_properties", None)
    ]
    write_summary(terminal, told)


def _reports(terminal: pytest.TerminalReporter, *outcomes: str) -> Iterator[pytest.TestReport]:
    for outcome in outcomes or terminal.stats:
        yield from terminal.stats.get(outcome, ())
