"""Third-party verifiers: their documented weaknesses are found, and nothing else is."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import standardwebhooks
import stripe
import svix.webhooks
from doubles.receivers.good_receiver import ENTITY

from pytest_turris.attacks.catalogue import ATTACKS, find_attack
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.hooks import ReceiverHooks
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.verdict import Verdict
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.schemes import SCHEMES
from pytest_turris.webhooks.signature import SignatureScheme

KEY = base64.b64encode(b"turris_sandbox_whsec_0123456789abcdef").decode()
NO_SEPARATOR = {"WH-04", "WH-07", "WH-19", "WH-20", "WH-21", "WH-23", "WH-26", "WH-27", "WH-121"}
"""A token without a comma, or with two, raises ValueError, even if a right one follows."""

PADDING = {"WH-06", "WH-10"}
"""Bad padding raises binascii.Error."""

LENIENT = {"WH-08", "WH-16", "WH-17", "WH-18"}
"""The decoder accepts more texts than one for a signature."""

NOT_ASCII = {"WH-11", "WH-12"}
"""The comparison or the decoder raises."""

NOT_UTF8 = {"WH-58"}
"""The body is decoded outside of any try."""

TIME = {"WH-86"}
"""A time is taken that is long past."""

OTHERS = {"WH-50", "WH-51", "WH-53", "WH-54", "WH-58", "WH-86"}
ABOUT_VERIFIERS = [
    attack for attack in ATTACKS if attack.family in ("signature", "keys") or attack.id in OTHERS
]


STANDARD = SCHEMES["standard-webhooks"]
STRIPE = SCHEMES["stripe"]


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


def weaknesses_of(scheme: SignatureScheme, verify: Any) -> dict[str, Verdict]:
    """What a verifier does not withstand."""
    context = AttackContext(factory=factory_of(scheme))
    verdicts = [run_attack(attack, Receiver(verify), context) for attack in ABOUT_VERIFIERS]
    return {v.check.id: v for v in verdicts if v.outcome in ("failed", "warned", "noted")}


def labels(verdict: Verdict) -> list[str]:
    """Which variants of an attack were found."""
    return [finding.sent.partition(": ")[0] for finding in verdict.findings]


def verifier(library: Any, error: type[Exception]) -> Callable[[bytes, dict[str, str]], bool]:
    """A receiver that believes a library of Standard Webhooks."""

    def verify(body: bytes, headers: dict[str, str]) -> bool:
        try:
            library(KEY).verify(body, as_the_library_wants(headers))
        except error:
            return False
        except json.JSONDecodeError:
            return False
        return True

    return verify


def as_the_library_wants(headers: dict[str, str]) -> dict[str, str]:
    """The headers by their names as they came; the library looks for lower case itself."""
    return dict(headers)


@pytest.mark.parametrize(
    ("library", "error"),
    [
        (standardwebhooks.Webhook, standardwebhooks.WebhookVerificationError),
        (svix.webhooks.Webhook, svix.webhooks.WebhookVerificationError),
    ],
    ids=["standardwebhooks", "svix"],
)
def test_standard_webhooks(library: Any, error: type[Exception]) -> None:
    """Malformed tokens raise, and a lenient decoder accepts."""
    found = weaknesses_of(STANDARD, verifier(library, error))
    assert set(found) == (NO_SEPARATOR | PADDING | LENIENT | NOT_ASCII | NOT_UTF8)


def stripe_verifier(check: Callable[..., object]) -> Callable[[bytes, Mapping[str, str]], bool]:
    """A receiver that believes stripe's library."""

    def verify(body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            lines = {name.lower(): value for name, value in headers.items()}
            check(body, lines.get("stripe-signature"), KEY)
        except stripe.SignatureVerificationError:
            return False
        return True

    return verify


def test_stripe() -> None:
    """A signature or body outside ASCII or UTF-8 raises."""
    found = weaknesses_of(STRIPE, stripe_verifier(stripe.Webhook.construct_event))
    assert set(found) == NOT_ASCII | NOT_UTF8


def test_stripe_without_a_tolerance() -> None:
    """``verify_header`` by itself takes a signature of any age."""
    found = weaknesses_of(STRIPE, stripe_verifier(stripe.WebhookSignature.verify_header))
    assert set(found) == NOT_ASCII | NOT_UTF8 | TIME
    assert labels(found["WH-86"]) == ["signed a day ago"]


def standard_with(library: Any) -> Any:
    """Starts a receiver that believes a library of Standard Webhooks, with keys of one's own."""
    return lambda keys: library(keys[0])


def stripe_with(keys: Any) -> Any:
    """Starts a receiver that believes stripe's library, with keys of one's own."""
    check = stripe.Webhook.construct_event
    return stripe_verifier(lambda body, value, _: check(body, value, keys[0]))


@pytest.mark.parametrize(
    ("scheme", "start"),
    [
        (STANDARD, standard_with(standardwebhooks.Webhook)),
        (STANDARD, standard_with(svix.webhooks.Webhook)),
        (STRIPE, stripe_with),
    ],
    ids=["standardwebhooks", "svix", "stripe"],
)
def test_blank_keys_are_refused(scheme: SignatureScheme, start: Any) -> None:
    """None of them starts with a blank key, or believes what is signed with it."""
    context = AttackContext(factory=factory_of(scheme), hooks=ReceiverHooks(with_keys=start))
    verdict = run_attack(find_attack("WH-40"), Receiver(lambda body, headers: True), context)
    assert verdict.outcome == "not observed", verdict
