import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from hypothesis import settings

from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureScheme

# An example that takes long says that the machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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
