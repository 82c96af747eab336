"""What vendors' libraries sign, and what their documentation prints, is learned."""

import base64
import datetime as dt
from collections.abc import Callable

import pytest
import standardwebhooks
import stripe
import svix.webhooks
from slack_sdk.signature import SignatureVerifier

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.learning.learned import learn_signature
from pytest_turris.webhooks.learning.search import MOST_BYTES
from pytest_turris.webhooks.schemes import SCHEMES

KEY = "turris_sandbox_whsec_0123456789abcdef"
KEY_IN_BASE64 = f"whsec_{base64.b64encode(KEY.encode()).decode()}"
BODY = '{"id": "evt_1", "name": "Müller"}'
ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"


def standard(now: dt.datetime) -> dict[str, str]:
    """As the library of Standard Webhooks signs."""
    value = standardwebhooks.Webhook(KEY_IN_BASE64).sign(ID, now, BODY)
    seconds = str(int(now.timestamp()))
    return {"webhook-id": ID, "webhook-timestamp": seconds, "webhook-signature": value}


def of_svix(now: dt.datetime) -> dict[str, str]:
    """As the library of Svix signs."""
    value = svix.webhooks.Webhook(KEY_IN_BASE64).sign(ID, now, BODY)
    seconds = str(int(now.timestamp()))
    return {"svix-id": ID, "svix-timestamp": seconds, "svix-signature": value}


def of_stripe(now: dt.datetime) -> dict[str, str]:
    """As the library of Stripe computes it, while a key is rotated."""
    seconds = int(now.timestamp())
    right, other = (
        stripe.WebhookSignature._compute_signature(f"{seconds}.{BODY}", key) for key in (KEY, "x")
    )
    return {"Stripe-Signature": f"t={seconds},v1={other},v1={right}"}


def of_slack(now: dt.datetime) -> dict[str, str]:
    """As the SDK of Slack signs."""
    seconds = str(int(now.timestamp()))
    value = SignatureVerifier(KEY).generate_signature(timestamp=seconds, body=BODY)
    return {"X-Slack-Request-Timestamp": seconds, "X-Slack-Signature": str(value)}


LIBRARIES: dict[str, Callable[[dt.datetime], dict[str, str]]] = {
    "standard-webhooks": standard, "svix": of_svix, "stripe": of_stripe, "slack": of_slack,
}  # fmt: skip


@pytest.mark.parametrize("scheme", LIBRARIES)
def test_what_a_library_signs_is_learned(scheme: str) -> None:
    """One delivery with a body that no other form of it equals is enough."""
    headers = LIBRARIES[scheme](dt.datetime.now(dt.UTC))  # noqa: TID251 - the library takes it
    secret = (
        KEY_IN_BASE64
        if "whsec_" in KEY_IN_BASE64 and scheme in ("svix", "standard-webhooks")
        else KEY
    )
    learned = learn_signature(headers, BODY.encode(), secret=secret)
    assert learned.options == {"signature_scheme": scheme}
    assert "Nearly sure" in str(learned)  # there is no white space around the body to see


def test_what_documentation_prints_is_learned() -> None:
    """GitHub prints an example whose body is no JSON."""
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    learned = learn_signature(
        {"X-Hub-Signature-256": f"sha256={digest}"},
        b"Hello, World!",
        secret="It's a Secret to Everybody",
    )
    assert learned.options == {"signature_scheme": "github"}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_the_factory_signs_is_learned(scheme: str) -> None:
    """Each named scheme is the first of those that fit."""
    webhooks = WebhookFactory.of(
        Sandbox(Options.from_layers({"signature_scheme": scheme}), name="learned")
    )
    webhook = webhooks.producer_agreement_executed()
    learned = learn_signature(webhook.header_lines, webhook.body, secret=webhooks.key)
    assert learned.options == ({} if scheme == "turris" else {"signature_scheme": scheme})
    assert webhooks.key not in str(learned)


@pytest.mark.parametrize(("size", "left"), [(1, False), (500, True)])
def test_the_work_is_bounded(size: int, left: bool) -> None:
    """Of a large body the unlikely combinations are left out, and the report says so."""
    body = b'{"payload":[' + b",".join([b'{"npn":"12345678"}'] * 100 * size) + b"]}"
    headers = [(f"X-Header-{number}", f"value {number}") for number in range(20)]
    headers += [("X-Sent-At", "1700000000"), ("X-Turris-Signature", "t=1700000000,v1=" + "0" * 64)]
    learned = learn_signature(headers, body, secret="0123456789abcdef" * 2, url="https://a.b/c")
    assert bool(learned.left) is left
    assert ("left out" in str(learned)) is left
    assert learned.tried * len(body) < 2 * MOST_BYTES
