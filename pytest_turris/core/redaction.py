"""What may be shown of a secret: at most its last four characters, as Turris masks them.

The form ``***-a5ed`` is the vendor's own (documented: guides/error-handling).
"""

import re

_MEMBERS = "clientSecret|client_secret|accessToken|access_token|token|secret|signInUrl|url"
_HEADERS = frozenset({"authorization", "x-restricted-access-token", "cookie", "set-cookie"})
_QUERY = re.compile(
    r"([?&](?:[^=&#]*token|jwt|[^=&#]*secret|authorization|email|fein)=)([^&#]*)", re.IGNORECASE
)
_SECRETS = re.compile(
    rf'("(?:{_MEMBERS})"\s*:\s*")((?:[^"\\]|\\.)*)("|$)'
    r"|(eyJ[\w-]{8,}(?:\.[\w-]*){0,2})"
    r"|(turris_sandbox_(?:secret|token|webhook)_\w+)"
)
_SHOWN = 2_048


def mask(secret: str) -> str:
    """``***-`` and the last four characters; nothing of a secret shorter than eight."""
    return f"***-{secret[-4:]}" if len(secret) >= 8 else "***"  # noqa: PLR2004 - see the docstring


class Secret(str):
    """A string that is itself in use and masked in any ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret('{mask(self)}')"


def redact(text: str) -> str:
    """The text with tokens, secrets and capability URLs masked."""
    return _SECRETS.sub(_masked, text)


def redact_target(target: str) -> str:
    """A path with its query: values of secret or personal parameters masked."""
    return redact(_QUERY.sub(lambda found: found[1] + mask(found[2]), target))


def redact_headers(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Header fields by lower-case name, credentials masked, the last of a repeated one."""
    return {
        name: _masked_credential(value) if name in _HEADERS else redact(value)
        for name, value in headers
    }


def preview(body: bytes) -> str:
    """The first 2 KiB of a body as text, redacted."""
    shown = redact(body[:_SHOWN].decode("utf-8", "replace"))
    return shown if len(body) <= _SHOWN else f"{shown}... ({len(body):,} bytes)"


def _masked(found: re.Match[str]) -> str:
    if found[1] is not None:
        return f"{found[1]}{mask(found[2])}{found[3]}"
    return mask(found[0])


def _masked_credential(value: str) -> str:
    scheme, space, credential = value.partition(" ")
    return f"{scheme} {mask(credential)}" if space else mask(value)
