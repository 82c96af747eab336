"""What runs beside the tests: the guard of the real Turris, and the story of a failure.

Registered only in runs that use a turris fixture: others do not pay for its hooks.
"""

from collections.abc import Generator

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.guard import RealHostGuard

SANDBOX = pytest.StashKey[Sandbox]()

_LAST = 12


class Watch:
    """The plugin of runs that use the sandbox."""

    def __init__(self) -> None:
        self._guard = RealHostGuard()
        self._guard.install()

    def pytest_unconfigure(self) -> None:
        """Let go of the process' sockets."""
        self._guard.remove()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that tried to reach the real Turris; tell a failed one's last exchanges."""
        report = yield
        if call.when == "call" and (trips := self._guard.trips):
            hosts = ", ".join(sorted(set(trips)))
            trips.clear()
            if report.passed:
                report.outcome = "failed"
                report.longrepr = (
                    f"turris: this test tried to reach the real Turris ({hosts}) and swallowed "
                    "the error. Ask for the fixture 'turris' or 'turris_server'"
                )
        sandbox = item.stash.get(SANDBOX, None)
        if report.failed and sandbox is not None:
            del item.stash[SANDBOX]  # once: a teardown that fails too has its own words
            report.sections.append(("turris exchanges", story(sandbox)))
        return report


def story(sandbox: Sandbox) -> str:
    """The last exchanges of a sandbox, redacted, and where its clock stands."""
    journal = sandbox.journal
    shown = list(journal)[-_LAST:]
    earlier = journal.seen - len(shown)
    lines = [f"... {earlier} earlier"] if earlier else []
    lines += [str(exchange) for exchange in shown] or ["no request reached the sandbox"]
    lines.append(f"{sandbox.clock!r}, token requests: {sandbox.token_requests}")
    return "\n".join(lines)
