"""Fixtures that more than one wing's tests ask for."""

import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from doubles.consumer_project import Project
from hypothesis import settings

# Imported here so that inner pytest runs in this process find these modules loaded and do not
# build their pydantic models again.
import pytest_turris.doors.in_process.httpx
import pytest_turris.doors.sockets.pool
import pytest_turris.fixtures.options
import pytest_turris.hooks.failure_report
import pytest_turris.time_travel.travel  # noqa: F401 - see above
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureScheme

# An example that takes long only shows that the machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A consumer's project in an empty directory."""
    for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET"):
        monkeypatch.delenv(f"TURRIS_{name}", raising=False)
    # What pytest-xdist sets for its workers is about the outer run.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Project(pytester)


@pytest.fixture(scope="session")
def webhooks_with() -> Callable[[SignatureScheme], WebhookFactory]:
    """Makes factories of a scheme, with a fixed key, a fixed clock and counted ids."""

    def build(scheme: SignatureScheme) -> WebhookFactory:
        ids = itertools.count(1)
        return WebhookFactory(
            scheme=scheme,
            key="turris_sandbox_whsec_0123456789abcdef",
            upstream_entity_id="507f1f77bcf86cd799439010",
            new_id=lambda: f"{next(ids):024x}",
            now=lambda: dt.datetime(2025, 3, 17, 10, 15, 45, tzinfo=dt.UTC),
        )

    return build


@pytest.fixture
def webhooks(webhooks_with: Callable[[SignatureScheme], WebhookFactory]) -> WebhookFactory:
    """A factory of the default scheme."""
    return webhooks_with(SignatureScheme())
