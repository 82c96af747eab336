"""A factory of webhooks whose key, clock and ids are fixed."""

import pytest
from doubles.fixed_webhooks import fixed_factory

from pytest_turris.webhooks.factory import WebhookFactory


@pytest.fixture
def webhooks() -> WebhookFactory:
    """A factory of the default scheme."""
    return fixed_factory()
