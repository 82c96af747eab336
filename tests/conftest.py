"""Fixtures that more than one wing's tests ask for."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from typing import Any

import pytest
from doubles.consumer_project import Project
from doubles.fixed_webhooks import fixed_factory
from hypothesis import settings

# Imported here so that inner pytest runs in this process find these modules loaded and do not
# build their pydantic models again.
import pytest_turris.doors.in_process.httpx
import pytest_turris.doors.sockets.pool
import pytest_turris.fixtures.options
import pytest_turris.hooks.failure_report
import pytest_turris.time_travel.travel  # noqa: F401 - see above
from pytest_turris.core.text.chosen_secrets import CHOSEN
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureScheme

# An example that takes long only shows that the machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# What a machine may have, and no test is about: those that are set it themselves.
os.umask(0o022)
NOT_OURS = """
    COLUMNS LINES FORCE_COLOR NO_COLOR PY_COLORS CI BUILD_NUMBER PYTEST_ADDOPTS
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
"""
for name in NOT_OURS.split():
    os.environ.pop(name, None)

LIGHT = "-p no:randomly -p no:schemathesis -p no:faker -p no:hypothesispytest"
"""Plugins that only these tests need: each run of pytest in a process would import them for
seconds. ``-p randomly`` after it brings one back."""


SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGALRM, signal.SIGTERM]
"""Those that a command handles."""

HANDLERS = pytest.StashKey[list[Any]]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember what handles signals."""
    item.stash[HANDLERS] = [signal.getsignal(number) for number in SIGNALS]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Give signals back to what handled them: a command that ran in this process took them.

    A later test, and each child that it starts, would ignore them.
    """
    yield
    before = item.stash[HANDLERS]
    for number, handler in zip(SIGNALS, before, strict=True):
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def pytest_sessionfinish() -> None:
    """Save what was traced: pytest-xdist kills a worker that takes long to write it at its exit."""
    if "coverage" in sys.modules and (running := sys.modules["coverage"].Coverage.current()):
        running.save()


@pytest.fixture(autouse=True)
def no_chosen_secrets() -> None:
    """What an earlier test of this process chose as a secret is not masked in this one's texts.

    Without ``monkeypatch``, which would be set up before all that a test asks for.
    """
    CHOSEN.forms = ()
    CHOSEN._forms_of.clear()
    CHOSEN.changes += 1


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The one of pytest, whose runs leave out what makes them slow."""
    monkeypatch.setenv("PYTEST_ADDOPTS", LIGHT)
    # Otherwise a configuration above the temporary folder would be theirs. Any that a test writes
    # comes before this one.
    (pytester.path / "setup.cfg").write_text("[tool:pytest]\n")
    return pytester


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A consumer's project in an empty directory."""
    for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET"):
        monkeypatch.delenv(f"TURRIS_{name}", raising=False)
    # What pytest-xdist sets for its workers is about the outer run.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return Project(pytester)


@pytest.fixture(scope="session")
def webhooks_with() -> Callable[[SignatureScheme], WebhookFactory]:
    """Makes factories of a scheme, with a fixed key, a fixed clock and counted ids."""
    return fixed_factory


@pytest.fixture
def webhooks() -> WebhookFactory:
    """A factory of the default scheme."""
    return fixed_factory()
