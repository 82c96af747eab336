"""What runs during all tests: the guard of the real Turris, and the report of a failure.

Registered only in runs that use a turris fixture: others do not pay for its hooks.
"""

import re
from collections.abc import Generator
from typing import Any

import pytest
from _pytest._code.code import TerminalRepr

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import mask, redact_credentials
from pytest_turris.hooks.network_guard import RealHostGuard

SANDBOX = pytest.StashKey[Sandbox]()
"""Where a test keeps its sandbox."""

_NAME = "turris_watch"
_LAST = 12
_DOORS = frozenset({"turris", "turris_server"})
"""The fixtures that test a client: for these tests, no request at all is worth a line."""

# A secret or token from whose middle pytest took a piece: what is left would not be known again.
_CUT = re.compile(r"(?:turris_sand\w*|eyJ[\w.-]*?)\.\.\.[\w.-]+")


def begin_watch(config: pytest.Config) -> None:
    """Watch the rest of the run, unless it is watched already."""
    if not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(FailureReport(), _NAME)


class FailureReport:
    """The plugin of runs that use the sandbox."""

    def __init__(self) -> None:
        self._guard = RealHostGuard()
        self._guard.install()

    def pytest_unconfigure(self) -> None:
        """Let go of the process's sockets."""
        self._guard.remove()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that tried to reach the real Turris; tell a failed one's last exchanges."""
        report = yield
        if trips := self._guard.trips:
            hosts = ", ".join(sorted(set(trips)))
            trips.clear()
            if report.passed:
                report.outcome = "failed"
                report.longrepr = (
                    f"turris: this test tried to reach the real Turris ({hosts}) and swallowed "
                    "the error. Ask for the fixture 'turris' or 'turris_server'"
                )
        sandbox = item.stash.get(SANDBOX, None)
        if sandbox is not None and (report.failed or report.when == "teardown"):
            # Reported once: a failing teardown has a text of its own. And no sandbox is kept
            # longer than its test; pytest keeps the stash of every test until the run ends.
            del item.stash[SANDBOX]
            told = sandbox.journal.seen or not _DOORS.isdisjoint(getattr(item, "fixturenames", ()))
            if report.failed and told:
                report.sections.append(("turris exchanges", last_exchanges(sandbox)))
        if report.longrepr or report.sections:
            report.longrepr = redacted_report(report.longrepr)
            report.sections = redacted_report(report.sections)
        return report


def redacted_report(found: Any) -> Any:  # noqa: ANN401 - pytest's tree of texts
    """What pytest shows of a test, such as its locals, without credentials; changed in place."""
    if isinstance(found, str):
        return redact_credentials(_CUT.sub(lambda cut: mask(cut[0]), found))
    if isinstance(found, list | tuple):
        return type(found)(redacted_report(part) for part in found)
    if isinstance(found, TerminalRepr):
        for name, part in vars(found).items():
            setattr(found, name, redacted_report(part))
    return found


def last_exchanges(sandbox: Sandbox) -> str:
    """The last exchanges of a sandbox, redacted, and where its clock stands."""
    journal = sandbox.journal
    shown = list(journal)[-_LAST:]
    earlier = journal.seen - len(shown)
    lines = [f"... {earlier} earlier"] if earlier else []
    lines += [str(exchange) for exchange in shown] or ["no request reached the sandbox"]
    lines.append(f"{sandbox.clock!r}, token requests: {sandbox.token_requests}")
    return "\n".join(lines)
