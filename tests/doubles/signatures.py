"""The schemes, the key, the moment and the body that tests sign with."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from pytest_turris.webhooks.signature import SignatureError, SignatureScheme

NOW = dt.datetime(2025, 3, 17, 10, 15, 45, tzinfo=dt.UTC)

KEY = "turris_sandbox_whsec_0123456789abcdef"

BODY = b'{"webhookType":"X","payload":{"b":1,"a":"\xc3\xa9"}}'

HEADER = "X-Turris-Signature"

PLAIN = SignatureScheme()

BASE64 = SignatureScheme(encoding="base64")

STAMPED = SignatureScheme(timestamped=True)

SCHEMES = [
    replace(encoded, prefix=prefix, timestamped=timestamped)
    for encoded in (PLAIN, BASE64)
    for prefix in ("", "sha256=")
    for timestamped in (False, True)
]

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


def refusal(scheme: SignatureScheme, headers: Headers, *, key: str = KEY) -> str:
    """Why the reference verifier refuses the body with these headers."""
    with pytest.raises(SignatureError) as refused:
        scheme.verify(BODY, headers, key, now=NOW)
    return refused.value.reason
