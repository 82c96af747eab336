"""Third-party verifiers: their documented weaknesses are found, and nothing else is."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import standardwebhooks
import stripe
import svix.webhooks
from receivers.handled import ENTITY

from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.attacks.forge import Forge
from pytest_turris.attacks.judge import judge
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.scheme import SignatureScheme

KEY = base64.b64encode(b"turris_sandbox_whsec_0123456789abcdef").decode()
NO_SEPARATOR = {"WH-04", "WH-07", "WH-19", "WH-20", "WH-21", "WH-23", "WH-26", "WH-27"}
"""A token without a comma, or with two, raises ValueError, even if a right one follows."""

PADDING = {"WH-06", "WH-10"}
"""Bad padding raises binascii.Error."""

LENIENT = {"WH-08", "WH-16", "WH-17", "WH-18"}
"""The decoder accepts more texts than one for a signature."""

NOT_ASCII = {"WH-11", "WH-12"}
"""The comparison or the decoder raises."""

NOT_UTF8 = {"WH-58"}
"""The body is decoded outside of any try."""

# The key of Standard Webhooks is base64, so what WH-46 asks has another answer there.
ABOUT_VERIFIERS = [
    attack for attack in ATTACKS if attack.family in ("signature", "keys") and attack.id != "WH-46"
]
BODIES = [
    attack for attack in ATTACKS if attack.id in ("WH-50", "WH-51", "WH-53", "WH-54", "WH-58")
]


@dataclass(frozen=True, kw_only=True, slots=True)
class StandardScheme(SignatureScheme):
    """Standard Webhooks: ``v1,<base64>`` over id, timestamp and body, with a base64 key."""

    def sign(self, body: bytes, key: str, *, at: dt.datetime) -> str:
        try:
            raw = base64.b64decode(key)
        except ValueError:
            raw = key.encode()
        message = f"msg_1.{int(at.timestamp())}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(raw, message, hashlib.sha256)).decode()


def factory_of(scheme: SignatureScheme) -> WebhookFactory:
    """A factory of a scheme, on the real clock."""
    sandbox = Sandbox(name="third party")
    return WebhookFactory(
        scheme=scheme,
        key=KEY,
        upstream_entity_id=ENTITY,
        new_id=sandbox.new_object_id,
        now=sandbox.clock.now,
    )


def found(scheme: SignatureScheme, verify: Any) -> set[str]:
    """What a verifier does not withstand."""
    forge = Forge(factory=factory_of(scheme))
    verdicts = [judge(attack, Receiver(verify), forge) for attack in (*ABOUT_VERIFIERS, *BODIES)]
    return {v.attack.id for v in verdicts if v.outcome in ("failed", "warned", "noted")}


def verifier(library: Any, error: type[Exception]) -> Any:
    """A receiver that believes a library of Standard Webhooks."""

    def verify(body: bytes, headers: Mapping[str, str]) -> bool:
        stamp = str(int(Sandbox().clock.now().timestamp()))
        names = {"webhook-id": "msg_1", "webhook-timestamp": stamp}
        if (value := headers.get("webhook-signature")) is not None:
            names["webhook-signature"] = value
        try:
            library(KEY).verify(body, names)
        except error:
            return False
        except json.JSONDecodeError:
            return False
        return True

    return verify


@pytest.mark.parametrize(
    ("library", "error"),
    [
        (standardwebhooks.Webhook, standardwebhooks.WebhookVerificationError),
        (svix.webhooks.Webhook, svix.webhooks.WebhookVerificationError),
    ],
    ids=["standardwebhooks", "svix"],
)
def test_standard_webhooks(library: Any, error: type[Exception]) -> None:
    """Malformed tokens raise, a lenient decoder accepts, and a list is part of the scheme."""
    scheme = StandardScheme(
        header="webhook-signature", encoding="base64", prefix="v1,", list_separator=" "
    )
    assert found(scheme, verifier(library, error)) == (
        NO_SEPARATOR | PADDING | LENIENT | NOT_ASCII | NOT_UTF8
    )


def test_stripe() -> None:
    """A signature or body outside ASCII or UTF-8 raises; nothing else is found."""
    scheme = SignatureScheme(header="Stripe-Signature", timestamped=True, list_separator=",")

    def verify(body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            stripe.Webhook.construct_event(body, headers.get("stripe-signature"), KEY)
        except stripe.SignatureVerificationError:
            return False
        return True

    assert found(scheme, verify) == NOT_ASCII | NOT_UTF8
