"""A factory of webhooks that makes the same ones in every run."""

import datetime as dt
import itertools

from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureScheme

_DEFAULT = SignatureScheme()


def fixed_factory(scheme: SignatureScheme = _DEFAULT) -> WebhookFactory:
    """Return a factory of a scheme, with a fixed key, a fixed clock and counted ids."""
    ids = itertools.count(1)
    return WebhookFactory(
        scheme=scheme,
        key="turris_sandbox_whsec_0123456789abcdef",
        upstream_entity_id="507f1f77bcf86cd799439010",
        new_id=lambda: f"{next(ids):024x}",
        now=lambda: dt.datetime(2025, 3, 17, 10, 15, 45, tzinfo=dt.UTC),
    )
