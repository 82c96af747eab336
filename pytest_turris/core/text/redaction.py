"""What may be shown of a secret: at most its last four characters, as in Turris's own messages.

The form ``***-a5ed`` is documented (guides/error-handling).
"""

import re

_SECRET_NAME = "token|secret|password|api[-_]?key|authorization"
_HEADER = re.compile(rf"{_SECRET_NAME}|cookie", re.IGNORECASE)
_WORDS = ("token", "secret", "password", "api", "authorization", "jwt", "url")
_SCHEMES = frozenset({"basic", "bearer", "digest", "token"})
_QUERY = re.compile(
    rf"((?:^|[?&])(?:[^=&#?]*(?:{_SECRET_NAME})|jwt|bearer|email|fein)=)([^&#]*)", re.IGNORECASE
)
# A secret of the wrong type (a list, a number) is masked too, a list with all that follows it.
_MEMBER = re.compile(
    rf'("(?:[\w-]*(?:{_SECRET_NAME})|jwt|signInUrl|url)"\s*:\s*)'
    r'(?:"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?$)|[\[{].*|[^\s",}\]]+)',
    re.IGNORECASE | re.DOTALL,
)
_SECRETS = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}|turris_sandbox_(?:secret|token|webhook|control)_\w+"
)
_ESCAPED_ASCII = re.compile(r"\\u00([4-7][0-9a-f])", re.IGNORECASE)
_SHORTEST_SHOWN = 12
SHOWN = 2_048
"""How many bytes of a body, or characters of a field, are shown."""


def mask(secret: str) -> str:
    """``***-`` and the last four characters; nothing of a secret shorter than twelve."""
    return f"***-{secret[-4:]}" if len(secret) >= _SHORTEST_SHOWN else "***"


class Secret(str):
    """A string that is masked in any ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret('{mask(self)}')"


def redact(text: str) -> str:
    """The text with tokens, secrets and capability URLs masked."""
    # A JSON parser reads "client\\u0053ecret" as clientSecret, so it must be masked too.
    plain = _ESCAPED_ASCII.sub(_unescaped, text) if "\\u00" in text else text
    # Most texts hold no secret, and finding a word is ten times faster than an expression.
    if '"' in plain:
        lowered = plain.lower()
        if any(word in lowered for word in _WORDS):
            plain = _MEMBER.sub(_masked_member, plain)
    return redact_credentials(plain)


def redact_credentials(text: str) -> str:
    """The text with the sandbox's own secrets and every JWT masked, and nothing else."""
    if "eyJ" in text or "turris_sandbox_" in text:
        return _SECRETS.sub(lambda found: mask(found[0]), text)
    return text


def redact_target(target: str) -> str:
    """A path with its query: values of secret or personal parameters masked."""
    return redact(_QUERY.sub(lambda found: found[1] + mask(found[2]), target))


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
    shown = redact(text) if text.lstrip()[:1] in ("{", "[") else redact_target(text)
    return shown if size <= SHOWN else f"{shown}... ({size:,} bytes)"


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character.isalnum() or character == "_" else found[0]


def _masked_member(found: re.Match[str]) -> str:
    return f'{found[1]}"{mask(found[2] or "")}"'


def _masked_credential(value: str) -> str:
    scheme, space, credential = value.partition(" ")
    known = space and scheme.lower() in _SCHEMES
    return f"{scheme} {mask(credential)}" if known else mask(value)
