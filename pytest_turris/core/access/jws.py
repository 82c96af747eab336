"""Claims as compact JWS (RFC 7515): signed as the issuer does, or forged."""

import base64
import hmac
from functools import cache
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from pytest_turris.core.access import keys
from pytest_turris.core.wire.messages import encode

Flaw = Literal[
    "alg_none", "hs256_with_public_key", "wrong_key", "unknown_kid", "wrong_issuer",
    "wrong_audience", "expired", "other_environment", "unknown_token", "malformed",
]  # fmt: skip

_PADDING, _HASH = PKCS1v15(), SHA256()


def signed(claims: dict[str, Any], key: RSAPrivateKey | None = None, kid: str = keys.KEY_ID) -> str:
    """The claims, signed with RS256 by the issuer or with another key."""
    # As jwt.encode does, without its checks of key and header: they cost 5 % of a test's time.
    text = _encoded("RS256", kid, claims)
    signature = (key or keys.signing_key()).sign(text.encode(), _PADDING, _HASH)
    return f"{text}.{_base64url(signature)}"


def forged(flaw: Flaw, claims: dict[str, Any]) -> str:
    """A token with one flaw; flaws of the claims must be in ``claims`` already."""
    foreign = claims | {"iss": "https://issuer.invalid/", "aud": "another-api"}
    match flaw:
        case "malformed":
            return signed(claims).rpartition(".")[0]
        case "alg_none":
            return _encoded("none", keys.KEY_ID, claims) + "."
        case "hs256_with_public_key":
            return _signed_with_public_key(claims)
        case "wrong_key" | "unknown_kid":
            kid = keys.KEY_ID if flaw == "wrong_key" else "another-key"
            return signed(claims, keys.foreign_key(), kid)
        case "wrong_issuer" | "wrong_audience":
            claim = "iss" if flaw == "wrong_issuer" else "aud"
            return signed(claims | {claim: foreign[claim]})
        case _:
            return signed(claims)


def _signed_with_public_key(claims: dict[str, Any]) -> str:
    """Algorithm confusion: HS256 with the public key as its key, which PyJWT refuses to make."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - rarely needed
        Encoding,
        PublicFormat,
    )

    public = keys.signing_key().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = _encoded("HS256", keys.KEY_ID, claims)
    return f"{text}.{_base64url(hmac.digest(pem, text.encode(), 'sha256'))}"


def _encoded(alg: str, kid: str, claims: dict[str, Any]) -> str:
    return f"{_header(alg, kid)}.{_base64url(encode(claims))}"


@cache
def _header(alg: str, kid: str) -> str:
    return _base64url(encode({"alg": alg, "typ": "JWT", "kid": kid}))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
