"""How Turris signs a delivery, and the reference verifier of that signature.

Documented (guides/webhooks): the header ``X-Turris-Signature`` carries an HMAC-SHA256 of the
request. Assumed, and each a field of the scheme: lower-case hex without a prefix, over the raw
body, with the text of the key as the HMAC key.
"""

import base64
import binascii
import contextlib
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.option_values import is_base64
from pytest_turris.core.text.redaction import mask

_TIMESTAMPED = re.compile(r"t=(0|[1-9][0-9]{0,11}),v1=(.*)", re.DOTALL)

# json.dumps makes a new encoder for each call with arguments other than the defaults.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class SignatureError(TurrisKitError, ValueError):
    """A signature was refused, or could not be made.

    ``reason`` says why. It is for logs: a receiver that returns it to the sender helps an
    attacker.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SchemeError(TurrisKitError, ValueError):
    """A field of a signature scheme has a value that it cannot take."""


class MomentError(TurrisKitError, TypeError):
    """A timestamped signature needs a moment with a time zone, and there was none."""


def compact_json(value: object) -> bytes:
    """Return JSON without whitespace between tokens, in UTF-8, as all bodies here are written.

    Raises:
        ValueError: The value contains NaN, infinity or half a surrogate pair.
    """
    return _encode(value).encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureScheme:
    """What is signed, and how the signature is written in the header.

    Args:
        header: The header's name; its case does not matter.
        encoding: ``hex`` (lower case, 64 digits) or ``base64`` (standard alphabet, padded).
        prefix: Text before the signature, such as ``sha256=``.
        timestamped: The header is ``t=<unix seconds>,v1=<signature>``, and ``<t>.`` is signed
            before the rest.
        signs: ``body``, the raw bytes; or ``payload``, the compact JSON of the envelope's
            ``payload`` member, which leaves the rest of the envelope unprotected.
        list_separator: What separates several signatures in the header, as senders write them
            while they rotate a key; one valid signature is enough. Empty: there is only one.
        key_form: ``text``, the text of the key is the HMAC key; or ``base64``, the key is
            decoded first.

    Raises:
        SchemeError: A field has an unknown value.
    """

    header: str = "X-Turris-Signature"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamped: bool = False
    signs: Literal["body", "payload"] = "body"
    list_separator: str = ""
    key_form: Literal["text", "base64"] = "text"

    def __post_init__(self) -> None:
        if self.encoding not in {"hex", "base64"}:
            raise SchemeError(f"encoding must be 'hex' or 'base64', not {self.encoding!r}")
        if self.signs not in {"body", "payload"}:
            raise SchemeError(f"signs must be 'body' or 'payload', not {self.signs!r}")
        if self.key_form not in {"text", "base64"}:
            raise SchemeError(f"key_form must be 'text' or 'base64', not {self.key_form!r}")

    @property
    def signature_length(self) -> int:
        """The number of characters in a signature without its prefix: 64 in hex, 44 in base64."""
        return 64 if self.encoding == "hex" else 44

    @property
    def list_mark(self) -> str:
        """The text between two signatures in a list; a comma if the scheme has no lists."""
        return ",v1=" if self.timestamped else self.list_separator or ","

    def key_bytes(self, key: str | bytes) -> bytes:
        """Return the HMAC key for a configured key; bytes are used as they are.

        Base64 is decoded as leniently as most receivers do. Text that is not base64 is used as it
        is, so that forgeries can be signed with any text.
        """
        if isinstance(key, bytes):
            return key
        if self.key_form == "base64":
            with contextlib.suppress(binascii.Error):
                return base64.b64decode(key + "==")
        return key.encode()

    def message(self, body: bytes, *, at: dt.datetime) -> bytes:
        """Return the bytes that are signed for a body.

        Args:
            body: The body.
            at: The moment of signing, with a time zone; only a timestamped scheme uses it.

        Raises:
            SignatureError: The scheme signs the payload, and the body has none.
            MomentError: The scheme is timestamped, and the moment has no time zone.
        """
        signed = self._signed_part(body)
        return _timestamp(at).encode() + b"." + signed if self.timestamped else signed

    def sign(self, body: bytes, key: str | bytes, *, at: dt.datetime) -> str:
        """Return the header's value for a body.

        Args:
            body: The body.
            key: Any key, even an empty one, so that forgeries can be made; ``verify`` refuses it.
            at: The moment of signing, with a time zone.

        Raises:
            SignatureError: The scheme signs the payload, and the body has none.
            MomentError: The scheme is timestamped, and the moment has no time zone.
        """
        __tracebackhide__ = True  # pytest --showlocals would print the key
        signature = self._signature(self.message(body, at=at), key)
        return f"t={_timestamp(at)},v1={signature}" if self.timestamped else signature

    def verify(
        self,
        body: bytes,
        headers: Mapping[str, str] | Iterable[tuple[str, str]],
        key: str,
        *,
        now: dt.datetime | None = None,
        tolerance: dt.timedelta = dt.timedelta(minutes=5),
    ) -> None:
        """Return if a delivery is genuine; this is the reference for what receivers must do.

        The signature must be the canonical text, character for character, on one header line.

        Args:
            body: The body as it was received.
            headers: The headers, as a mapping or as pairs.
            key: The key as it is configured.
            now: The moment of verifying, with a time zone; a timestamped scheme needs it.
            tolerance: How far the timestamp may be from ``now``, in either direction.

        Raises:
            SignatureError: The header is missing, repeated, empty, malformed or wrong, the
                timestamp is too old or too new, or the key is blank or not base64.
            MomentError: The scheme is timestamped, and ``now`` is missing or has no time zone.
        """
        __tracebackhide__ = True  # pytest --showlocals would print the key
        if not key.strip():
            raise SignatureError("the key is blank: anyone could sign with it")
        if self.key_form == "base64" and not is_base64(key):
            raise SignatureError("the key is not base64, which the scheme requires")
        value = self._single_value(headers)
        signed = self._signed_part(body)
        if not self.timestamped:
            self._match_any(value, self.list_separator, self._signature(signed, key))
            return
        if now is None:
            raise MomentError("a timestamped scheme needs the moment of verifying: now=...")
        timestamp, signature = _split_timestamp(value)
        expected = self._signature(f"{timestamp}.".encode() + signed, key)
        self._match_any(signature, self.list_separator and self.list_mark, expected)
        _check_age(_unix_seconds(now) - int(timestamp), tolerance.total_seconds())

    def _signature(self, message: bytes, key: str | bytes) -> str:
        __tracebackhide__ = True  # pytest --showlocals would print the key
        digest = hmac.digest(self.key_bytes(key), message, hashlib.sha256)
        encode = binascii.hexlify if self.encoding == "hex" else base64.b64encode
        return self.prefix + encode(digest).decode("ascii")

    def _signed_part(self, body: bytes) -> bytes:
        if self.signs == "body":
            return body
        try:
            # Decoded here because json.loads() takes UTF-16 and UTF-32 bytes too.
            return compact_json(json.loads(body.decode())["payload"])
        except (ValueError, TypeError, KeyError, RecursionError):
            reason = "the body is not a JSON object with a 'payload', which this scheme signs"
            raise SignatureError(reason) from None

    def _single_value(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
        __tracebackhide__ = True  # pytest --showlocals would print the received signature
        lines = headers.items() if isinstance(headers, Mapping) else headers
        values = [value for name, value in lines if name.lower() == self.header.lower()]
        if not values:
            raise SignatureError(f"{self.header} is missing")
        if len(values) > 1:
            raise SignatureError(f"{self.header} is repeated: {len(values)} lines")
        if not values[0].strip():
            raise SignatureError(f"{self.header} is empty")
        if not values[0].isascii():
            raise SignatureError(f"{self.header} contains non-ASCII characters")
        return values[0]

    def _match_any(self, given: str, separator: str, expected: str) -> None:
        __tracebackhide__ = True  # pytest --showlocals would print the right signature
        first, *others = given.split(separator) if separator else [given]
        if not any(hmac.compare_digest(one.encode(), expected.encode()) for one in others):
            self._match(first, expected)

    def _match(self, given: str, expected: str) -> None:
        __tracebackhide__ = True  # pytest --showlocals would print the right signature
        # Compare the text, not the decoded digest: a lenient decoder makes several texts equal.
        if hmac.compare_digest(given.encode(), expected.encode()):
            return
        if not given.startswith(self.prefix):
            raise SignatureError(f"the signature does not start with {self.prefix!r}")
        digits = "[0-9a-f]{64}" if self.encoding == "hex" else "[A-Za-z0-9+/]{43}="
        if not re.fullmatch(digits, given.removeprefix(self.prefix)):
            form = "lower-case hex" if self.encoding == "hex" else "padded base64"
            raise SignatureError(
                f"the signature is malformed: not {self.signature_length} characters of {form}"
            )
        raise SignatureError(
            f"the signature {mask(given)} is wrong: it is for another key or other bytes"
        )


def _split_timestamp(value: str) -> tuple[str, str]:
    match = _TIMESTAMPED.fullmatch(value)
    if match is None:
        raise SignatureError("the header is malformed: not t=<unix seconds>,v1=<signature>")
    return match[1], match[2]


def _check_age(age: float, tolerance: float) -> None:
    if age > tolerance:
        raise SignatureError(f"the timestamp is stale: {age:.0f} s old, {tolerance:.0f} s allowed")
    if -age > tolerance:
        raise SignatureError(
            f"the timestamp is too new: {-age:.0f} s ahead, {tolerance:.0f} s allowed"
        )


def _timestamp(at: dt.datetime) -> str:
    return str(int(_unix_seconds(at)))


def _unix_seconds(moment: dt.datetime) -> float:
    if moment.tzinfo is None:
        raise MomentError("the moment must have a time zone: dt.datetime(..., tzinfo=dt.UTC)")
    return moment.timestamp()
