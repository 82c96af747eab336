"""What is public about the issuer's key. No signature is made or verified with it here.

So it needs no import of cryptography, which a server can do without until its first token.
"""

from typing import Any

KEY_ID = "turris-sandbox-test-key-1"

_MODULUS = (
    "wb5KyArt4sle1LyuVEqnyY8zSyKgyDZm_COnk3JReAYh6rGgJdf-ckYktfXfe0ooT2loxCITSTU5-TpNbHVtgv0v"
    "ZObcIOqiSk-bCDBvH4AoRYLdg8M_MSeXyrKMNM7zpCuHnygYUGQLT4tZ1lWA4z-a1btoXUnUskhYPZiVF2ExOCCF"
    "wipHTBuqnpNc6ZzT_2aD0OUcWeyWweFmH9R0wesffibMhlceAGANEO8dRjNNOvzs-4ePE9q2JTSBivlEDIpX_NHs"
    "O8VNsKte2RN_zOU5wxtewY48rZSvX911YrGuIimy9abbiPR1r9QDQjvGBdxDUw1LsOIH9eIaCQkEwQ"
)


def public_keys() -> dict[str, Any]:
    """The public key as a JWK Set (RFC 7517)."""
    public = {"kty": "RSA", "key_ops": ["verify"], "n": _MODULUS, "e": "AQAB"}
    return {"keys": [public | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}]}
