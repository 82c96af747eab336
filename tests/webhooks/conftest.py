"""Factories of webhooks whose key, clock and ids are fixed."""

from collections.abc import Callable

import pytest
from doubles.fixed_webhooks import fixed_factory
from hypothesis import settings

from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureScheme

# An example that takes long says only that the machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def webhooks_with() -> Callable[[SignatureScheme], WebhookFactory]:
    """Makes factories of a scheme."""
    return fixed_factory


@pytest.fixture
def webhooks() -> WebhookFactory:
    """A factory of the default scheme."""
    return fixed_factory()
