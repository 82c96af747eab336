"""The options of a webhook signature, whose form no page shows."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureOptions:
    """How webhooks are signed. ``turris-sandbox learn-signature`` finds the values."""

    signature_scheme: Literal[
        "turris", "standard-webhooks", "svix", "stripe", "github", "slack", "shopify"
    ] = "turris"
    """Whose scheme signs webhooks: Turris', or another sender's.

    The options ``signature_*`` below change parts of it where they differ from their defaults.
    """

    signature_header: str = "X-Turris-Signature"
    """The header of a webhook's signature (documented)."""

    signature_encoding: Literal["hex", "base64"] = "hex"
    """How the HMAC-SHA256 is encoded (undocumented)."""

    signature_prefix: str = ""
    """A prefix of the signature, such as ``sha256=`` (undocumented)."""

    signature_timestamped: bool = False
    """Send ``t=...,v1=...`` and sign the timestamp as well (undocumented)."""

    signature_signs: Literal["body", "payload"] = "body"
    """What is signed: the raw body, or only its ``payload`` member (undocumented)."""

    signature_list_separator: str = ""
    """What separates several signatures in the header, as some senders write them while they
    rotate a key, such as ``,`` or a space. Empty: there is only one signature (undocumented)."""

    signature_timestamp_header: str = ""
    """The header of the time of signing, in Unix seconds, which is signed too (undocumented)."""

    signature_id_header: str = ""
    """The header of the message's id, which is signed too (undocumented)."""

    signature_version: str = ""
    """A version that is signed first, such as ``v0`` (undocumented)."""

    signature_joint: Literal[
        "dot", "colon", "comma", "pipe", "newline", "space", "dash", "underscore", "none"
    ] = "dot"
    """The separator of version, id, time and body in the signed text (undocumented)."""

    signature_key: Literal["text", "base64", "hex"] = "text"
    """The signing key: ``webhook_secret`` as text, or decoded (undocumented)."""

    signature_key_prefix: str = ""
    """What an encoded signing key may begin with, such as ``whsec_`` (undocumented)."""
