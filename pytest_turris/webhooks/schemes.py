"""The signature schemes that have a name: Turris', Standard Webhooks and those of five vendors.

Each is as its vendor documents it:

- Standard Webhooks: specification 1.0, "Signature scheme" and "Webhook Headers".
- Svix: docs.svix.com, "Verifying payloads", "How to verify webhooks manually".
- Stripe: docs.stripe.com, "Resolve webhook signature verification errors", "Verify manually".
- GitHub: docs.github.com, "Validating webhook deliveries" and "Delivery headers".
- Slack: docs.slack.dev, "Verifying requests from Slack".
- Shopify: shopify.dev, "Verify webhook deliveries", and "Headers" of HTTPS webhooks.
"""

from dataclasses import replace
from typing import Any

from pytest_turris.core.options import Options
from pytest_turris.webhooks.signature import SignatureScheme

_STANDARD = SignatureScheme(
    header="webhook-signature",
    encoding="base64",
    prefix="v1,",
    timestamped=True,
    list_separator=" ",
    key_form="base64",
    key_prefix="whsec_",
    id_header="webhook-id",
    timestamp_header="webhook-timestamp",
)

SCHEMES: dict[str, SignatureScheme] = {
    "turris": SignatureScheme(),
    "standard-webhooks": _STANDARD,
    "svix": replace(
        _STANDARD,
        header="svix-signature",
        id_header="svix-id",
        timestamp_header="svix-timestamp",
    ),
    "stripe": SignatureScheme(header="Stripe-Signature", timestamped=True, list_separator=","),
    "github": SignatureScheme(
        header="X-Hub-Signature-256",
        prefix="sha256=",
        unsigned_lines=(("X-GitHub-Event", "ping"), ("X-GitHub-Delivery", "{id}")),
    ),
    "slack": SignatureScheme(
        header="X-Slack-Signature",
        prefix="v0=",
        timestamped=True,
        timestamp_header="X-Slack-Request-Timestamp",
        signed_version="v0",
        joint=":",
    ),
    "shopify": SignatureScheme(
        header="X-Shopify-Hmac-SHA256",
        encoding="base64",
        unsigned_lines=(
            ("X-Shopify-Topic", "orders/create"),
            ("X-Shopify-Shop-Domain", "turris-sandbox.myshopify.com"),
            ("X-Shopify-API-Version", "2025-07"),
            ("X-Shopify-Webhook-Id", "{id}"),
        ),
    ),
}
"""Each scheme by its name, in the order of the option ``signature_scheme``."""

FIELDS = {
    "signature_header": "header",
    "signature_encoding": "encoding",
    "signature_prefix": "prefix",
    "signature_timestamped": "timestamped",
    "signature_signs": "signs",
    "signature_list_separator": "list_separator",
    "signature_timestamp_header": "timestamp_header",
    "signature_id_header": "id_header",
    "signature_version": "signed_version",
    "signature_joint": "joint",
    "signature_key": "key_form",
    "signature_key_prefix": "key_prefix",
}
"""The field of a scheme that each option sets."""

JOINTS = {
    "dot": ".",
    "colon": ":",
    "comma": ",",
    "pipe": "|",
    "newline": "\n",
    "space": " ",
    "dash": "-",
    "underscore": "_",
    "none": "",
}
"""The text of each value of the option ``signature_joint``."""


def scheme_of(options: Options) -> SignatureScheme:
    """Return the scheme that options name, changed where another ``signature_*`` option differs.

    An option that has its default value changes nothing.

    Args:
        options: The options of a sandbox.
    """
    default = Options()
    changed: dict[str, Any] = {
        field: getattr(options, name)
        for name, field in FIELDS.items()
        if getattr(options, name) != getattr(default, name)
    }
    if "joint" in changed:
        changed["joint"] = JOINTS[changed["joint"]]
    if options.signature_timestamp_header:
        changed["timestamped"] = True
    return replace(SCHEMES[options.signature_scheme], **changed)
