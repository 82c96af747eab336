"""What runs during all tests: the guard of the real Turris, and the report of a failure.

Registered only in runs that use a turris fixture: others do not pay for its hooks.
"""

import sys
import warnings
from collections.abc import Generator, Sequence
from typing import Any, NoReturn

import pytest
from _pytest.outcomes import Failed

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import redact_credentials
from pytest_turris.hooks.masking.outputs import OutputMasking
from pytest_turris.hooks.masking.report_redaction import SANDBOX, mask_report
from pytest_turris.hooks.network_guard import RealHostError, RealHostGuard, swallowed
from pytest_turris.process.children import POPEN_PATCH, ChildrenFind
from pytest_turris.process.earlier_threads import EarlierThreads

EARLIER = pytest.StashKey[EarlierThreads]()
"""Where a watched run keeps the threads that ran before its tests."""

_NAME = "turris_watch"
_LAST = 12
_FAKE = (
    "FakeDatetime is freezegun's: code that asks for the exact type refuses it, and a pydantic "
    "model cannot be defined with it. Fix: pip install time-machine, and the option "
    "time_engine='time-machine'"
)
_CHILDREN = (
    "the test started a child process, which no sandbox answers: without a server, it answers this "
    "process only. Fix: ask for the fixture 'turris_server', and pass "
    "env=turris_server.environment()"
)
_DOORS = frozenset({"turris", "turris_server"})
"""The fixtures that test a client: in these tests, the absence of any request is worth a line."""

_RECEIVERS = frozenset({"turris_webhooks", "turris_webhook_attack"})
"""The fixtures that test a receiver, which need not send any request."""

_BODY = pytest.StashKey[bool]()
_IS_ENDING = pytest.StashKey[bool]()
"""Whether the body of a test ended without an exception."""


class Complaint(Failed):
    """A mistake of a test, reported at its end. No ``xfail`` hides it."""

    __module__ = "builtins"  # as pytest's own: the one line of the summary has no room for ours


def complain(text: str) -> NoReturn:
    """Fail a test at its teardown, whatever its markers expect."""
    raise Complaint(f"turris: {text}", pytrace=False)


def is_ending(config: pytest.Config) -> bool:
    """Whether the session ends: what Ctrl-C left is torn down, and there is no test to fail."""
    return config.stash.get(_IS_ENDING, False)


def say_at_end(config: pytest.Config, text: str) -> None:
    """Write a line at the end of the session, where an exception would end pytest."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:  # a worker of pytest-xdist has none
        reporter.write_line(f"turris: {redact_credentials(text)}")


def body_passed(item: pytest.Item) -> bool:
    """Whether the body of a test ended without an exception, such as a failure or a skip."""
    return item.stash.get(_BODY, False)


def begin_watch(config: pytest.Config) -> None:
    """Watch the rest of the run, unless it is watched already."""
    if not config.pluginmanager.has_plugin(_NAME):
        report = FailureReport()
        config.stash[EARLIER] = report.earlier
        config.pluginmanager.register(report, _NAME)
        config.pluginmanager.register(OutputMasking(config))


class FailureReport:
    """The plugin of runs that use the sandbox."""

    def __init__(self) -> None:
        self.earlier: EarlierThreads = EarlierThreads()
        self._fixtures: Sequence[str] = ()
        self._children = 0
        """How many child processes had been started without a server when the test began."""
        self._guard = RealHostGuard(self.earlier.current, lambda: self._fixtures)
        self._guard.install()
        POPEN_PATCH.__enter__()

    def pytest_unconfigure(self) -> None:
        """Give sockets and ``Popen`` back to the process."""
        POPEN_PATCH.__exit__()
        self._guard.remove()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Note that the session ends, before pytest tears down what is left of it."""
        session.config.stash[_IS_ENDING] = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note which threads run already, before any fixture of the test starts one."""
        self.earlier.begin(item.nodeid)
        self._fixtures = getattr(item, "fixturenames", ())
        self._children = ChildrenFind.started

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Shut the applications of the test down, before its fixtures are gone."""
        if receivers := sys.modules.get("pytest_turris.receivers.in_process.event_loop"):
            receivers.close_loop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that tried to reach the real Turris; show a failed one's last exchanges."""
        if call.when == "call":
            item.stash[_BODY] = call.excinfo is None
        report = yield
        if call.excinfo and _complains(call.excinfo.value):
            _fail(report, report.longrepr)
        if trips := self._guard.trips:
            words = swallowed(trips)
            trips.clear()
            if report.passed or (hasattr(report, "wasxfail") and not _is_expected(item, call)):
                _fail(report, f"turris: {words}")
        is_last = report.failed or report.when == "teardown"
        has_text = report.longrepr or report.sections
        sandbox = item.stash.get(SANDBOX, None) if is_last or has_text else None
        if sandbox is not None and is_last:
            # Reported once: a failing teardown has a text of its own. And no sandbox is kept
            # longer than its test; pytest keeps the stash of every test until the run ends.
            del item.stash[SANDBOX]
            if report.failed and (sandbox.journal.seen or _is_about_requests(item)):
                report.sections.append(("turris exchanges", last_exchanges(sandbox)))
            if report.failed and (folder := item.config.getoption("--turris-capsule")):
                from pytest_turris.hooks.capsule import leave_capsule  # noqa: PLC0415 - only then

                text = leave_capsule(
                    item.config.invocation_params.dir / folder, item.nodeid, sandbox
                )
                report.sections.append(("turris capsule", text))
        if report.failed:
            children = _CHILDREN if ChildrenFind.started > self._children else ""
            time = _notes_on_time(report)
            notes = {"threads": self.earlier.note(), "children": children, "time": time}
            report.sections += [(f"turris {about}", text) for about, text in notes.items() if text]
        mask_report(report, sandbox)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Mask credentials in what the summary of warnings shows."""
        shown = str(warning_message.message)
        if (masked := redact_credentials(shown)) != shown:
            warning_message.message = masked


def _is_expected(item: pytest.Item, call: pytest.CallInfo[Any]) -> bool:
    """Whether an xfail names the guard's error by ``raises=``."""
    mark = item.get_closest_marker("xfail")
    raises = mark.kwargs.get("raises") if mark else None
    error = call.excinfo.value if call.excinfo else None
    return raises is not None and isinstance(error, RealHostError) and isinstance(error, raises)


def _notes_on_time(report: pytest.TestReport) -> str:
    """The sleeps of a failed test, and a hint if freezegun's types appear in its failure."""
    module = sys.modules.get("pytest_turris.time_travel.scheduler")
    scheduler = module.Scheduler.current if module else None
    notes = [scheduler.record.summary()] if scheduler else []
    if "FakeDatetime" in report.longreprtext or "FakeDate'" in report.longreprtext:
        notes.append(_FAKE)
    return "\n".join(filter(None, notes))


def _complains(error: BaseException) -> bool:
    """Whether an exception is one of our complaints, or a group with one."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return isinstance(error, Complaint) or any(map(_complains, inner))


def _fail(report: pytest.TestReport, longrepr: Any) -> None:  # noqa: ANN401 - a text or pytest's tree
    """Make a report a failure, although the test is marked ``xfail``."""
    report.outcome, report.longrepr = "failed", longrepr
    vars(report).pop("wasxfail", None)


def _is_about_requests(item: pytest.Item) -> bool:
    """Whether a test asked for a client's sandbox, and sends no webhooks."""
    names = getattr(item, "fixturenames", ())
    return not _DOORS.isdisjoint(names) and _RECEIVERS.isdisjoint(names)


def last_exchanges(sandbox: Sandbox) -> str:
    """The last exchanges of a sandbox, redacted, and the time of its clock."""
    journal = sandbox.journal
    shown = list(journal)[-_LAST:]
    earlier = journal.seen - len(shown)
    lines = [f"... {earlier} earlier"] if earlier else []
    lines += map(str, shown)
    lines = lines or ["no request reached the sandbox"]
    lines.append(f"{sandbox.clock!r}, token requests: {sandbox.token_requests}")
    return "\n".join(lines)
