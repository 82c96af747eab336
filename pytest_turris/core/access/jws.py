"""Claims as compact JWS (RFC 7515): signed as the issuer does, forged, and read again."""

import base64
import hmac
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from pytest_turris.core.access import keys
from pytest_turris.core.access.flaws import Flaw
from pytest_turris.core.access.jwks import KEY_ID
from pytest_turris.core.wire.messages import encode

_NOT_A_JWT = (jwt.PyJWTError, ValueError, RecursionError)
_PADDING, _HASH = PKCS1v15(), SHA256()


def signed(claims: dict[str, Any], key: RSAPrivateKey | None = None, kid: str = KEY_ID) -> str:
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
            return _encoded("none", KEY_ID, claims) + "."
        case "hs256_with_public_key":
            return _signed_with_public_key(claims)
        case "wrong_key" | "unknown_kid":
            kid = KEY_ID if flaw == "wrong_key" else "another-key"
            return signed(claims, keys.foreign_key(), kid)
        case "wrong_issuer" | "wrong_audience":
            claim = "iss" if flaw == "wrong_issuer" else "aud"
            return signed(claims | {claim: foreign[claim]})
        case _:
            return signed(claims)


def verified(text: str) -> dict[str, Any] | str:
    """The claims of a token that the issuer has signed, whatever they are; or why it has not."""
    try:
        header = jwt.get_unverified_header(text)
    except _NOT_A_JWT:
        return "malformed: not a JWT of three base64url parts"
    if header.get("alg") != "RS256":
        algorithm = str(header.get("alg"))[:16]
        return f"signed with alg {algorithm!r}; only RS256 is accepted"
    if header.get("kid") != KEY_ID:
        return "signed with a key that is not in the JWKS (unknown kid)"
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            keys.signing_key().public_key(),
            algorithms=["RS256"],
            # The claims are checked with the sandbox's clock and its reasons.
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
                "verify_iss": False,
            },
        )
    except _NOT_A_JWT:
        return "wrong signature: forged, or changed in transit"
    return claims


def unverified(text: str) -> dict[str, Any]:
    """What a token says, not verified; empty for any other text."""
    try:
        return dict(jwt.decode(text, options={"verify_signature": False}))
    except _NOT_A_JWT:
        return {}


def _signed_with_public_key(claims: dict[str, Any]) -> str:
    """Algorithm confusion: HS256 with the public key as its key, which PyJWT refuses to make."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - rarely needed
        Encoding,
        PublicFormat,
    )

    public = keys.signing_key().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = _encoded("HS256", KEY_ID, claims)
    return f"{text}.{_base64url(hmac.digest(pem, text.encode(), 'sha256'))}"


def _encoded(alg: str, kid: str, claims: dict[str, Any]) -> str:
    return f"{_header(alg, kid)}.{_base64url(encode(claims))}"


@cache
def _header(alg: str, kid: str) -> str:
    return _base64url(encode({"alg": alg, "typ": "JWT", "kid": kid}))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
