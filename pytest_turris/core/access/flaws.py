"""The flaws that a forged token can have."""

from typing import Literal

Flaw = Literal[
    "alg_none", "hs256_with_public_key", "wrong_key", "unknown_kid", "wrong_issuer",
    "wrong_audience", "expired", "other_environment", "unknown_token", "malformed",
]  # fmt: skip
