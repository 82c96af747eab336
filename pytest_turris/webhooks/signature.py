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
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_turris.core.errors import TurrisKitError

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


_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110, 5.6.2)."""


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

    The signed text is, in this order and where the scheme has it: the version, the id, the time,
    and what ``signs`` names, joined by ``joint``.

    Args:
        header: The header's name; its case does not matter.
        encoding: ``hex`` (lower case, 64 digits) or ``base64`` (standard alphabet, padded).
        prefix: Text before the signature, such as ``sha256=``.
        timestamped: The time of signing, in Unix seconds, is signed too. Unless it has a header
            of its own, the signature's header is ``t=<unix seconds>,v1=<signature>``.
        signs: ``body``, the raw bytes; or ``payload``, the compact JSON of the envelope's
            ``payload`` member, which leaves the rest of the envelope unprotected.
        list_separator: What separates several signatures in the header, as senders write them
            while they rotate a key; one valid signature is enough. Empty: there is only one.
        key_form: ``text``, the text of the key is the HMAC key; or ``base64`` or ``hex``, the
            key is decoded first.
        key_prefix: What an encoded key may begin with, such as ``whsec_``; it is taken off.
        id_header: The header of the message's id, which is signed; empty if there is none.
        timestamp_header: The header of the time of signing; empty if it has none of its own.
        signed_version: A version that is signed first, such as ``v0``; empty if there is none.
        joint: The text between the parts that are signed.
        unsigned_lines: Header lines that the sender adds and does not sign; ``{id}`` stands for
            the message's id.

    Raises:
        SchemeError: A field has an unknown value, or a time that is not signed has a header.
    """

    header: str = "X-Turris-Signature"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamped: bool = False
    signs: Literal["body", "payload"] = "body"
    list_separator: str = ""
    key_form: Literal["text", "base64", "hex"] = "text"
    key_prefix: str = ""
    id_header: str = ""
    timestamp_header: str = ""
    signed_version: str = ""
    joint: str = "."
    unsigned_lines: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not _FIELD_NAME.fullmatch(self.header):
            raise SchemeError(f"header={self.header!r} is not the name of a header")
        if self.encoding not in {"hex", "base64"}:
            raise SchemeError(f"encoding must be 'hex' or 'base64', not {self.encoding!r}")
        if self.signs not in {"body", "payload"}:
            raise SchemeError(f"signs must be 'body' or 'payload', not {self.signs!r}")
        if self.key_form not in {"text", "base64", "hex"}:
            raise SchemeError(f"key_form must be 'text', 'base64' or 'hex', not {self.key_form!r}")
        if self.timestamp_header and not self.timestamped:
            raise SchemeError(f"timestamp_header={self.timestamp_header!r} needs timestamped=True")

    @property
    def signature_length(self) -> int:
        """The number of characters in a signature without its prefix: 64 in hex, 44 in base64."""
        return 64 if self.encoding == "hex" else 44

    @property
    def time_in_value(self) -> bool:
        """Whether the signature's header is ``t=<unix seconds>,v1=<signature>``."""
        return self.timestamped and not self.timestamp_header

    @property
    def list_mark(self) -> str:
        """The text between two signatures in a list; a comma if the scheme has no lists."""
        return ",v1=" if self.time_in_value else self.list_separator or ","

    def message_id(self, new_id: Callable[[], str]) -> str:
        """Return the id of another message; empty if the scheme's messages have none.

        Args:
            new_id: Returns a new ObjectId.
        """
        if self.id_header:
            return f"msg_{new_id()}"
        if any("{id}" in value for _, value in self.unsigned_lines):
            return str(uuid.UUID(hex=f"{new_id():0>32}"))
        return ""

    def key_bytes(self, key: str | bytes) -> bytes:
        """Return the HMAC key for a configured key; bytes are used as they are.

        Base64 is decoded as leniently as most receivers do. Text that is not in the form is used
        as it is, so that forgeries can be signed with any text.
        """
        if isinstance(key, bytes):
            return key
        with contextlib.suppress(ValueError):
            if self.key_form == "base64":
                return base64.b64decode(self.bare_key(key) + "==")
            if self.key_form == "hex":
                return bytes.fromhex(self.bare_key(key))
        return key.encode()

    def bare_key(self, key: str) -> str:
        """Return a configured key without the prefix that the scheme's keys may have."""
        return key.removeprefix(self.key_prefix)

    def message(self, body: bytes, *, at: dt.datetime, message_id: str = "") -> bytes:
        """Return the bytes that are signed for a body.

        Args:
            body: The body.
            at: The moment of signing, with a time zone; only a timestamped scheme uses it.
            message_id: The message's id; only a scheme with a header for it uses it.

        Raises:
            SignatureError: The scheme signs the payload, and the body has none.
            MomentError: The scheme is timestamped, and the moment has no time zone.
        """
        return self.signed_text(body, _timestamp(at) if self.timestamped else "", message_id)

    def signed_text(self, body: bytes, timestamp: str, message_id: str) -> bytes:
        """Return the bytes that are signed, with the time and the id as they were sent.

        Args:
            body: The body.
            timestamp: The time as it is written; only a timestamped scheme uses it.
            message_id: The message's id; only a scheme with a header for it uses it.

        Raises:
            SignatureError: The scheme signs the payload, and the body has none.
        """
        parts = [self.signed_version] if self.signed_version else []
        parts += [message_id] if self.id_header else []
        parts += [timestamp] if self.timestamped else []
        # Senders of forgeries write any byte; HTTP libraries read header values as Latin-1.
        before = [part.encode("utf-8", "surrogateescape") for part in parts]
        return self.joint.encode().join([*before, self._signed_part(body)])

    def sign(self, body: bytes, key: str | bytes, *, at: dt.datetime, message_id: str = "") -> str:
        """Return the value of the signature's header for a body.

        Args:
            body: The body.
            key: Any key, even an empty one, so that forgeries can be made; ``verify`` refuses it.
            at: The moment of signing, with a time zone.
            message_id: The message's id; only a scheme with a header for it uses it.

        Raises:
            SignatureError: The scheme signs the payload, and the body has none.
            MomentError: The scheme is timestamped, and the moment has no time zone.
        """
        __tracebackhide__ = True  # pytest --showlocals would print the key
        signature = self.signature_of(self.message(body, at=at, message_id=message_id), key)
        return f"t={_timestamp(at)},v1={signature}" if self.time_in_value else signature

    def header_lines(
        self, body: bytes, key: str | bytes, *, at: dt.datetime, message_id: str = ""
    ) -> tuple[tuple[str, str], ...]:
        """Return all header lines of the scheme, the signature's last.

        Args:
            body: The body.
            key: As for ``sign``.
            at: The moment of signing, with a time zone.
            message_id: The message's id; only a scheme with a header for it needs it.

        Raises:
            SignatureError: The scheme signs the payload, and the body has none.
            MomentError: The scheme is timestamped, and the moment has no time zone.
        """
        __tracebackhide__ = True  # pytest --showlocals would print the key
        value = self.sign(body, key, at=at, message_id=message_id)
        lines = [(name, text.replace("{id}", message_id)) for name, text in self.unsigned_lines]
        if self.id_header:
            lines.append((self.id_header, message_id))
        if self.timestamp_header:
            lines.append((self.timestamp_header, _timestamp(at)))
        return (*lines, (self.header, value))

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
            SignatureError: A header is missing, repeated, empty, malformed or wrong, the
                timestamp is too old or too new, or the key is blank or not in its form.
            MomentError: The scheme is timestamped, and ``now`` is missing or has no time zone.
        """
        __tracebackhide__ = True  # pytest --showlocals would print the key
        from pytest_turris.webhooks.verification import verify  # noqa: PLC0415 - it imports this

        verify(self, body, headers, key, now=now, tolerance=tolerance)

    def signature_of(self, message: bytes, key: str | bytes) -> str:
        """Return the prefix and the signature of some bytes."""
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


def unix_seconds(moment: dt.datetime) -> float:
    """Return a moment in Unix seconds.

    Raises:
        MomentError: It has no time zone.
    """
    if moment.tzinfo is None:
        raise MomentError("the moment must have a time zone: dt.datetime(..., tzinfo=dt.UTC)")
    return moment.timestamp()


def _timestamp(at: dt.datetime) -> str:
    return str(int(unix_seconds(at)))
