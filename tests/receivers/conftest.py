"""The verification that receivers in these tests share."""

from typing import Any

import pytest
from doubles.receivers.kinds import Verify

from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureError


@pytest.fixture
def verify(webhooks: WebhookFactory) -> Verify:
    """A receiver's verification, with the reference verifier inside."""

    def verify(body: bytes, headers: Any) -> bool:  # noqa: ANN401 - each framework's own
        try:
            webhooks.verify(body, headers)
        except SignatureError:
            return False
        return True

    return verify
