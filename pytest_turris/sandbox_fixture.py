"""The sandbox of one test: made by whichever of its fixtures comes first, shared by all.

No fixture of its own stands behind ``turris``: pytest takes 0.1 ms for each, and the test that
uses ``turris`` alone is the common one.
"""

import os

import pytest

from pytest_turris.configuration import SANDBOX, options_for
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.environment import way_to
from pytest_turris.watch import begin_watch


def sandbox_of(node: pytest.Item, ini_names: tuple[str, ...]) -> Sandbox:
    """The test's sandbox, with its credentials in the environment until the test is over."""
    __tracebackhide__ = True
    sandbox = node.stash.get(SANDBOX, None)
    if sandbox is None:
        options = options_for(node, ini_names)
        sandbox = _new_sandbox(node, options)
        node.stash[SANDBOX] = sandbox
        # It runs already, unless the fixture was asked for by request.getfixturevalue alone.
        begin_watch(node.config)
        before = _enter_environment(sandbox)
        node.addfinalizer(lambda: _finish(sandbox, before))
    return sandbox


def _new_sandbox(node: pytest.Item, options: Options) -> Sandbox:
    __tracebackhide__ = True
    url = node.config.getoption("--turris-url")
    if url is None:
        return Sandbox(options, name=node.nodeid)
    from pytest_turris.shared_server import sandbox_at  # noqa: PLC0415 - only where it is named

    return sandbox_at(url, node, options)


def _finish(sandbox: Sandbox, before: dict[str, str | None]) -> None:
    _leave_environment(before)
    complaints = sandbox.complaints()
    if complaints:
        pytest.fail("turris: " + "\n\n".join(complaints), pytrace=False)


def _enter_environment(sandbox: Sandbox) -> dict[str, str | None]:
    """Set what a client reads; give what was there before."""
    before = {}
    for name, value in way_to(sandbox, sandbox.base_url).items():
        before[name] = os.environ.get(name)
        os.environ[name] = value
    return before


def _leave_environment(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
