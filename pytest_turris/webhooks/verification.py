"""The reference verifier: whether a delivery is genuine under a signature scheme."""

import datetime as dt
import hmac
import re
from collections.abc import Iterable, Mapping

from pytest_turris.core.text.redaction import mask
from pytest_turris.core.unknowns.option_values import has_form
from pytest_turris.webhooks.signature import (
    MomentError,
    SignatureError,
    SignatureScheme,
    unix_seconds,
)

_SECONDS = "0|[1-9][0-9]{0,11}"
_TIME_IN_VALUE = re.compile(rf"t=({_SECONDS}),(.*)", re.DOTALL)

_Headers = Mapping[str, str] | Iterable[tuple[str, str]]


def verify(
    scheme: SignatureScheme,
    body: bytes,
    headers: _Headers,
    key: str,
    *,
    now: dt.datetime | None,
    tolerance: dt.timedelta,
) -> None:
    """Return if a delivery is genuine; see ``SignatureScheme.verify``."""
    __tracebackhide__ = True  # pytest --showlocals would print the key
    if not key.strip():
        raise SignatureError("the key is blank: anyone could sign with it")
    if not has_form(scheme.key_form, scheme.bare_key(key)):
        raise SignatureError(f"the key is not {scheme.key_form}, which the scheme requires")
    lines = list(headers.items() if isinstance(headers, Mapping) else headers)
    given = _single_value(lines, scheme.header)
    message_id = _single_value(lines, scheme.id_header) if scheme.id_header else ""
    timestamp = ""
    if scheme.timestamp_header:
        timestamp = _checked_seconds(scheme, _single_value(lines, scheme.timestamp_header))
    signed = scheme.signed_text(body, timestamp, message_id)
    if scheme.timestamped and now is None:
        raise MomentError("a timestamped scheme needs the moment of verifying: now=...")
    signatures = [given]
    if scheme.list_separator:
        signatures = given.split(scheme.list_separator)
    if scheme.time_in_value:
        timestamp, signatures = _split_timestamp(given, scheme.list_separator)
        signed = scheme.signed_text(body, timestamp, message_id)
    _match_any(scheme, signatures, scheme.signature_of(signed, key))
    if now is not None and scheme.timestamped:
        _check_age(unix_seconds(now) - int(timestamp), tolerance.total_seconds())


def _single_value(lines: Iterable[tuple[str, str]], header: str) -> str:
    __tracebackhide__ = True  # pytest --showlocals would print the received signature
    values = [value for name, value in lines if name.lower() == header.lower()]
    if not values:
        raise SignatureError(f"{header} is missing")
    if len(values) > 1:
        raise SignatureError(f"{header} is repeated: {len(values)} lines")
    if not values[0].strip():
        raise SignatureError(f"{header} is empty")
    if not values[0].isascii():
        raise SignatureError(f"{header} contains non-ASCII characters")
    return values[0]


def _match_any(scheme: SignatureScheme, signatures: list[str], expected: str) -> None:
    __tracebackhide__ = True  # pytest --showlocals would print the right signature
    first, *others = signatures
    if not any(hmac.compare_digest(one.encode(), expected.encode()) for one in others):
        _match(scheme, first, expected)


def _match(scheme: SignatureScheme, given: str, expected: str) -> None:
    __tracebackhide__ = True  # pytest --showlocals would print the right signature
    # Compare the text, not the decoded digest: a lenient decoder makes several texts equal.
    if hmac.compare_digest(given.encode(), expected.encode()):
        return
    if not given.startswith(scheme.prefix):
        raise SignatureError(f"the signature does not start with {scheme.prefix!r}")
    digits = "[0-9a-f]{64}" if scheme.encoding == "hex" else "[A-Za-z0-9+/]{43}="
    if not re.fullmatch(digits, given.removeprefix(scheme.prefix)):
        form = "lower-case hex" if scheme.encoding == "hex" else "padded base64"
        raise SignatureError(
            f"the signature is malformed: not {scheme.signature_length} characters of {form}"
        )
    raise SignatureError(
        f"the signature {mask(given)} is wrong: it is for another key or other bytes"
    )


def _checked_seconds(scheme: SignatureScheme, text: str) -> str:
    if not re.fullmatch(_SECONDS, text):
        raise SignatureError(f"{scheme.timestamp_header} is malformed: not Unix seconds")
    return text


def _split_timestamp(value: str, separator: str) -> tuple[str, list[str]]:
    """The time and the signatures; in a list, other versions than v1 are passed over."""
    if match := _TIME_IN_VALUE.fullmatch(value):
        parts = match[2].split(separator) if separator else [match[2]]
        if found := [part.removeprefix("v1=") for part in parts if part.startswith("v1=")]:
            return match[1], found
    raise SignatureError("the header is malformed: not t=<unix seconds>,v1=<signature>")


def _check_age(age: float, tolerance: float) -> None:
    if age > tolerance:
        raise SignatureError(f"the timestamp is stale: {age:.0f} s old, {tolerance:.0f} s allowed")
    if -age > tolerance:
        raise SignatureError(
            f"the timestamp is too new: {-age:.0f} s ahead, {tolerance:.0f} s allowed"
        )
