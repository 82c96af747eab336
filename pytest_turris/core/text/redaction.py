"""What may be shown of a secret: at most its last four characters, as in Turris's own messages.

The form ``***-a5ed`` is documented (guides/error-handling).
"""

import re
from urllib.parse import unquote

_SECRET_NAME = (
    "token|secret|password|passwd|passphrase|pwd|ssn|credentials?|signature|"
    "api[-_]?key|private[-_]?key|authorization"
)
_HEADER = re.compile(rf"{_SECRET_NAME}|cookie|^(?:x-)?auth$", re.IGNORECASE)
# The same names, for texts in lower case: finding them is twenty times faster than an expression.
_NAMES = (
    *("token", "secret", "password", "passwd", "passphrase", "pwd", "ssn", "credential"),
    *("signature", "apikey", "api-key", "api_key", "privatekey", "private-key", "private_key"),
    *("authorization", "jwt"),
)
_LAST = (*_NAMES, "credentials", "url")
_ROOTS = (
    *("token", "secret", "pass", "pwd", "ssn", "credential", "signature", "key"),
    *("authorization", "jwt", "url"),
)
"""At least one of these is in each of the names."""
_MEMBER_NAME_END = re.compile(r'"\s*:')
_SCHEMES = frozenset({"basic", "bearer", "digest", "token"})
_PARAMETER = re.compile(r"(^|[?&])([^=&#?]*)=([^&#]*)")
_SECRET_PARAMETER = re.compile(
    rf".*(?:{_SECRET_NAME})|jwt|bearer|assertion|code|key|sig|email|fein", re.IGNORECASE | re.DOTALL
)
# A secret of the wrong type (a list, a number) is masked too, a list with all that follows it.
_MEMBER = re.compile(
    rf'("(?:[\w-]*(?:{_SECRET_NAME})|jwt|signInUrl|url)"\s*:\s*)'
    r'(?:"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?$)|[\[{].*|[^\s",}\]]+)',
    re.IGNORECASE | re.DOTALL,
)
# JSON in a string of JSON: its quotes have backslashes, each level of them more. The value ends at
# a quote with as many as that before it. The bound keeps a run of backslashes cheap.
_SPACE_IN_STRING = r"(?:\s|\\{1,15}[nrt])*"
_NESTED_MEMBER = re.compile(
    rf'((\\{{1,15}}")(?:[\w-]*(?:{_SECRET_NAME})|jwt|signInUrl|url)\2'
    rf"{_SPACE_IN_STRING}:{_SPACE_IN_STRING})"
    r'(?:\2(.*?)(?:(?<!\\)\2|$)|[\[{].*|[^\s",}\]\\]+)',
    re.IGNORECASE | re.DOTALL,
)
_NAMED_IN_TEXT = re.compile(
    rf"((?:{_SECRET_NAME}|jwt)"
    # A line of YAML or of a shell; a part of a form; an element; a member in single quotes.
    r"(?:['\"]?[ \t]*[:=][ \t]*['\"]?|\"[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n|[^<>]*>\s*))"
    r"([^\s'\"<>&]+)",
    re.IGNORECASE,
)
_SEGMENT = re.compile(r"(?<=/)(?=[^/?]*[0-9])(?=[^/?]*[A-Za-z])[A-Za-z0-9_.~+=%-]{20,}(?=[/?]|$)")
_PASSWORD = re.compile(r"(?<=://)[^/?#]*(?=@)")
_ID = re.compile(
    r"(?:[a-z]{1,8}_)?[0-9a-f]{20,40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
"""Ids of records are not secret, and show which record a request was about."""

_SECRETS = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}|turris_sandbox_(?:secret|token|webhook|control)_\w+"
)
_OWN = ("eyJ", "turris_sandbox_")
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
    lowered = _lowered(text)
    if not any(name in lowered for name in _LAST):
        return text
    return _NESTED_MEMBER.sub(_masked_nested, text)


def _redact_members(text: str) -> str:
    """Return what ``_MEMBER.sub`` returns, but faster for most texts."""
    lowered = _lowered(text)
    if not any(name in lowered for name in _LAST):
        return text
    pieces: list[str] = []
    done = 0
    for end in _MEMBER_NAME_END.finditer(lowered):
        if not lowered.endswith(_LAST, done, end.start()):
            continue
        start = text.rfind('"', done, end.start())
        if start >= 0 and (found := _MEMBER.match(text, start)):
            pieces += text[done:start], _masked_member(found)
            done = found.end()
    return "".join((*pieces, text[done:]))


def _redact_named(text: str) -> str:
    """Return what ``_NAMED_IN_TEXT.sub`` returns: nothing changes before the first name."""
    lowered = _lowered(text)
    first = min((at for name in _NAMES if (at := lowered.find(name)) >= 0), default=len(text))
    return text[:first] + _NAMED_IN_TEXT.sub(_masked_value, text[first:])


def redact_credentials(text: str) -> str:
    """The text with the sandbox's own secrets and every JWT masked, and nothing else."""
    if any(sign in text for sign in _OWN):
        return _SECRETS.sub(lambda found: mask(found[0]), text)
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
        name.lower(): _masked_credential(value) if _HEADER.search(name) else redact(value[:SHOWN])
        for name, value in headers
    }


def preview(body: bytes, size: int | None = None) -> str:
    """The first 2 KiB of a body as text, redacted; ``size`` is the whole length if it was cut."""
    size = len(body) if size is None else size
    text = body[:SHOWN].decode("utf-8", "replace")
    if text.count("\0") > 1 + len(text) // 4:
        text = text.replace("\0", "")  # UTF-16: without NULs it reads like the rest
    shown = text if _is_harmless_json(text) else _redacted_body(text)
    return shown if size <= SHOWN else f"{shown}... ({size:,} bytes)"


def _is_harmless_json(text: str) -> bool:
    """Whether JSON has nothing to mask: it is so for most bodies, and quick to see."""
    if text[:1] not in ("{", "[") or any(sign in text for sign in ("\\u00", *_OWN)):
        return False
    lowered = _lowered(text)
    return not any(root in lowered for root in _ROOTS)


def _redacted_body(text: str) -> str:
    shown = redact(text)
    if text.lstrip("\ufeff\ufffd \t\r\n")[:1] not in ("{", "["):
        shown = redact(_PARAMETER.sub(_masked_parameter, text))
    return _redact_named(shown)


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[2], 16))
    if character == '"':  # as its backslashes would be, were it written with them
        return "\\" * (2 * len(found[1]) - 1) + character
    return character if character.isalnum() or character in "-_" else found[0]


def _masked_parameter(found: re.Match[str]) -> str:
    name = unquote(found[2].replace("+", " "))
    value = mask(found[3]) if _SECRET_PARAMETER.fullmatch(name) else found[3]
    return f"{found[1]}{found[2]}={value}"


def _masked_value(found: re.Match[str]) -> str:
    return found[0] if found[2].startswith(_MASKED) else found[1] + mask(found[2])


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
