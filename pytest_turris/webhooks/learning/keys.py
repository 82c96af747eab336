"""The ways to read a secret as the key of an HMAC."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

KEY_PREFIXES = (
    "v1,whsec_", "whsec_", "whsk_", "whs_", "secret_", "sec_", "sk_live_", "sk_test_", "sk_",
    "key_", "sha256=", "base64:", "hex:",
)  # fmt: skip
"""The prefixes of known senders' secrets."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")


@dataclass(frozen=True, slots=True)
class KeyReading:
    """One way to read the secret.

    Args:
        form: ``text``, ``hex``, ``base64``, ``base64url``, ``stripped`` (the text without the
            white space around it), ``sha256`` or ``sha256hex`` (the digest of the text).
        prefix: The prefix that is removed first.
        key: The key; it never shows in a ``repr``.
    """

    form: str
    prefix: str
    key: bytes = field(repr=False)

    @property
    def words(self) -> str:
        """The way in words."""
        without = f", without its prefix {self.prefix!r}" if self.prefix else ""
        return f"the secret {_WORDS[self.form]}{without}"


_WORDS = {
    "text": "as text",
    "hex": "decoded from hex",
    "base64": "decoded from base64",
    "base64url": "decoded from base64url",
    "stripped": "as text without the white space around it",
    "sha256": "as its SHA-256 digest",
    "sha256hex": "as its SHA-256 digest in hex",
}

KEY_FORMS = tuple(_WORDS)
"""Every form, the likeliest first."""


def key_readings(secret: str) -> list[KeyReading]:
    """Return all ways to read a secret, the likeliest first; two never give the same key."""
    __tracebackhide__ = True  # pytest --showlocals would print the key
    found: dict[bytes, KeyReading] = {}
    bare = secret.strip()
    for prefix in ("", *(one for one in KEY_PREFIXES if bare.startswith(one))):
        for form, read in _READERS.items():
            key = read(secret if form == "text" and not prefix else bare.removeprefix(prefix))
            if key:
                found.setdefault(key, KeyReading(form, prefix, key))
    for reading in _of_whole_text(secret, bare):
        found.setdefault(reading.key, reading)
    return list(found.values())


def _of_whole_text(secret: str, bare: str) -> Iterator[KeyReading]:
    __tracebackhide__ = True  # pytest --showlocals would print the key
    yield KeyReading("stripped", "", bare.encode())
    digest = hashlib.sha256(secret.encode())
    yield KeyReading("sha256", "", digest.digest())
    yield KeyReading("sha256hex", "", digest.hexdigest().encode())


def _text(secret: str) -> bytes:
    return secret.encode()


def _hex(secret: str) -> bytes:
    try:
        return bytes.fromhex(secret)
    except ValueError:
        return b""


def _base64(secret: str) -> bytes:
    return _decoded(secret) if _BASE64.fullmatch(secret) else b""


def _base64url(secret: str) -> bytes:
    if not _BASE64URL.fullmatch(secret):
        return b""
    return _decoded(secret.replace("-", "+").replace("_", "/"))


def _decoded(text: str) -> bytes:
    """As lenient decoders do it: with or without the padding."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except binascii.Error:
        return b""


_READERS: dict[str, Callable[[str], bytes]] = {
    "text": _text,
    "hex": _hex,
    "base64": _base64,
    "base64url": _base64url,
}
