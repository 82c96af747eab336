"""What may be shown of a secret: at most its last four characters, as in Turris's own messages.

The form ``***-a5ed`` is documented (guides/error-handling).
"""

import re
from urllib.parse import quote, unquote

from pytest_turris.core.text.chosen_secrets import CHOSEN
from pytest_turris.core.text.encoded_secrets import (
    MARKS,
    SCHEME_CREDENTIAL,
    SCHEME_SIGNS,
    encoded_own,
)
from pytest_turris.core.text.secret_names import (
    ELEMENT,
    IN_TEXT,
    KEY_MEMBER,
    LINE,
    NESTED_MEMBER,
    PART,
    ROOTS,
    SECRET_MEMBER,
    first_name,
    is_secret_header,
    is_secret_member,
    is_secret_parameter,
    names_a_secret,
)

_MEMBER_NAME_END = re.compile(r'"\s*:')
_SCHEMES = frozenset({"basic", "bearer", "digest", "token"})
_PARAMETER = re.compile(r"(^|[?&#])([^=&#?]*)=([^&#]*)")
_SEGMENT = re.compile(
    r"(?<=/)(?<!://)(?=[^/?]*[0-9])(?=[^/?]*[A-Za-z])[A-Za-z0-9_.~+=%-]{20,}(?=[/?]|$)"
)
_PASSWORD = re.compile(r"(?<=://)[^/?#]*(?=@)")
_ID = re.compile(
    r"(?:[a-z]{1,8}_)?[0-9a-f]{20,40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
"""Ids of records are not secret, and show which record a request was about."""

_SECRETS = re.compile(
    r"eyJ[\w+/=-]{8,}(?:\.[\w-]*){0,2}|turris_sandbox_(?:secret|token|webhook|control)_\w+"
)
_OPENING = ("{", "[")
_OWN = ("eyJ", "turris_sandbox_", *MARKS)
_SIGNS = (*_OWN, *SCHEME_SIGNS)
_ANY_SIGN = re.compile("|".join(map(re.escape, (*ROOTS, *_SIGNS, "://", "\\u00"))), re.IGNORECASE)
_ESCAPED_ASCII = re.compile(r"(\\{1,15})u00(2[2d]|[4-7][0-9a-f])", re.IGNORECASE)
_MASKED = "***"
_SHORTEST_SHOWN = 12
SHOWN = 2_048
"""How many bytes of a body, or characters of a field, are shown."""


def mask(secret: str) -> str:
    """``***-`` and the last four characters; nothing of a secret shorter than twelve."""
    return f"{_MASKED}-{secret[-4:]}" if len(secret) >= _SHORTEST_SHOWN else _MASKED


class Secret(str):
    """A string that is masked in any ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret('{mask(self)}')"


def redact(text: str) -> str:
    """The text with tokens, secrets and capability URLs masked."""
    # A JSON parser reads "client\\u0053ecret" as clientSecret, so it must be masked too.
    plain = _ESCAPED_ASCII.sub(_unescaped, text) if "\\u00" in text else text
    if '"' in plain:
        if '\\"' in plain:
            plain = _redact_nested(plain)
        plain = _redact_members(plain)
    return redact_credentials(plain)


def _lowered(text: str) -> str:
    """The text, as long as before, as an expression reads it that ignores case."""
    return text.replace("\u017f", "s").replace("\u0131", "i").replace("\u0130", "i").lower()


def _redact_nested(text: str) -> str:
    """Mask the members of JSON in a string of JSON, at any depth."""
    return NESTED_MEMBER().sub(_masked_nested, text) if _has_root(_lowered(text)) else text


def _redact_members(text: str) -> str:
    """Return what ``SECRET_MEMBER.sub`` returns, but faster for most texts."""
    lowered = _lowered(text)
    if not _has_root(lowered):
        return text
    pieces: list[str] = []
    done = 0
    for end in _MEMBER_NAME_END.finditer(lowered):
        start = lowered.rfind('"', done, end.start())
        if start < 0 or not is_secret_member(lowered[start + 1 : end.start()]):
            continue
        if found := SECRET_MEMBER.match(text, start):
            pieces += text[done:start], _masked_member(found)
            done = found.end()
    text = "".join((*pieces, text[done:]))
    return KEY_MEMBER().sub(_masked_key, text) if '"key' in lowered else text


def _has_root(lowered: str) -> bool:
    return any(root in lowered for root in ROOTS)


def _redact_named(text: str) -> str:
    """Mask what follows the name of a secret in a text that need not be JSON."""
    lowered = _lowered(text)
    if "content-disposition:" in lowered:  # its names may be percent-encoded
        text = PART().sub(_masked_part, text)
    if first_name(lowered) < 0:
        return text
    if "<" in text:
        text = ELEMENT().sub(_masked_value, text)
    if ":" in text and text[:1] not in _OPENING:
        text = LINE().sub(_masked_value, text)
    first = max(0, first_name(_lowered(text)))
    return text[:first] + IN_TEXT().sub(_masked_value, text[first:])


def redact_credentials(text: str) -> str:
    """The text with every JWT, credentials of HTTP Basic and Bearer, and own secrets masked.

    So are the secrets that a user chose; nothing else is. Own secrets and JWTs are found in Base64
    and in hex too.
    """
    text = _without_chosen(text)
    for sign in _SIGNS:  # most texts have none; ``any`` takes twice as long for a short one
        if sign in text:
            break
    else:
        return text
    # JWTs come first: the encoded name of a client is in each of the sandbox's own.
    text = _SECRETS.sub(lambda found: mask(found[0]), text)
    pieces: list[str] = []
    done = 0
    for start, end in encoded_own(text):
        pieces += text[done:start], mask(text[start:end])
        done = end
    return SCHEME_CREDENTIAL.sub(_masked_value, "".join((*pieces, text[done:])))


def note_secret(secret: str) -> None:
    """Mask a secret that a user chose from now on, everywhere; own ones are known by their mark.

    A short one, or a single word, is masked only where a name says that it is a secret.
    """
    for part in (secret, secret.removeprefix("whsec_")):  # receivers remove it (Standard Webhooks)
        if part and redact_credentials(part) == part:
            CHOSEN.add(part)


def _without_chosen(text: str, *, is_cut: bool = False) -> str:
    """The text without the secrets that a user chose; if it was cut, without the begin of one."""
    for form in CHOSEN.forms:
        if form in text:
            text = text.replace(form, mask(form))
    if is_cut and (length := CHOSEN.end_of(text)):
        text = text[:-length] + _MASKED
    return text


def redact_target(target: str) -> str:
    """A path with its query, or a URL: values of secret or personal parameters masked.

    So are segments of the path that look like a credential and not like the id of a record, and
    the password in a URL.
    """
    path, question, query = _PASSWORD.sub("***", target).partition("?")
    path = _SEGMENT.sub(_masked_segment, path)
    return redact(_PARAMETER.sub(_masked_parameter, path + question + query))


def redact_headers(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Header fields by lower-case name, credentials masked; of a repeated field, the last line."""
    return {
        name.lower(): (
            _masked_credential(value) if is_secret_header(name) else _redacted_field(value)
        )
        for name, value in headers
    }


def _redacted_field(value: str) -> str:
    """A field that is not secret by its name, such as Referer; it may hold a URL with a token."""
    shown = _without_chosen(value)[:SHOWN]
    if shown.isascii() and shown[:1] != "/" and not _ANY_SIGN.search(shown):
        return shown  # as most fields; the rest takes ten times as long
    if "://" in shown or shown[:1] == "/":
        return redact_target(shown)
    return _redact_named(redact(shown))


def preview(body: bytes, size: int | None = None) -> str:
    """The first 2 KiB of a body as text, redacted; ``size`` is the whole length if it was cut."""
    size = len(body) if size is None else size
    text = body[:SHOWN].decode("utf-8", "replace")
    if text.count("\0") > 1 + len(text) // 4:
        text = text.replace("\0", "")  # UTF-16: without NULs it reads like the rest
    text = _without_chosen(text, is_cut=size > SHOWN)
    shown = text if _is_harmless_json(text) else _redacted_body(text)
    return shown if size <= SHOWN else f"{shown}... ({size:,} bytes)"


def _is_harmless_json(text: str) -> bool:
    """Whether JSON has nothing to mask: it is so for most bodies, and quick to see."""
    if text[:1] not in _OPENING or any(sign in text for sign in ("\\u00", *_OWN)):
        return False
    return not _has_root(_lowered(text))


def _redacted_body(text: str) -> str:
    shown = redact(text)
    if text.lstrip("\ufeff\ufffd \t\r\n")[:1] not in _OPENING:
        shown = redact(_PARAMETER.sub(_masked_parameter, text))
    return _redact_named(shown)


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[2], 16))
    if character == '"':  # as its backslashes would be, were it written with them
        return "\\" * (2 * len(found[1]) - 1) + character
    return character if character.isalnum() or character in "-_" else found[0]


def _masked_parameter(found: re.Match[str]) -> str:
    value = mask(found[3]) if is_secret_parameter(found[2]) else _redacted_parameter(found[3])
    return f"{found[1]}{found[2]}={value}"


def _redacted_parameter(value: str) -> str:
    """The value of a parameter that is not secret by its name: it may be JSON, a form or a URL."""
    if not ("%" in value or "=" in value):
        return value
    plain = unquote(value.replace("+", " ")) if "%" in value else value
    if "://" not in plain and not _has_root(_lowered(plain)):
        return value
    shown = _redact_named(redact(_PASSWORD.sub(_MASKED, plain)))
    if shown == plain:
        return value
    return quote(shown, safe="*/:;=?") if "%" in value else shown


def _masked_value(found: re.Match[str]) -> str:
    """The match with the last of its groups masked, unless it is already."""
    value = found[found.lastindex or 0]
    if value.strip("'\"` \t\r\n,").startswith(_MASKED) or not value.strip():
        return found[0]
    start, end = found.span(found.lastindex or 0)
    start, end = start - found.start(), end - found.start()
    return found[0][:start] + mask(value.rstrip()) + found[0][end:]


def _masked_part(found: re.Match[str]) -> str:
    return found[1] + mask(found[2].strip()) if names_a_secret(found[1]) else found[0]


def _masked_key(found: re.Match[str]) -> str:
    return found[0] if _ID.fullmatch(found[3]) else found[1] + mask(found[3])


def _masked_segment(found: re.Match[str]) -> str:
    return found[0] if _ID.fullmatch(found[0]) else mask(found[0])


def _masked_member(found: re.Match[str]) -> str:
    return f'{found[1]}"{mask(found[2] or "")}"'


def _masked_nested(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}{mask(found[3] or '')}{found[2]}"


def _masked_credential(value: str) -> str:
    scheme, space, credential = value.partition(" ")
    known = space and scheme.lower() in _SCHEMES
    return f"{scheme} {mask(credential)}" if known else mask(value)
