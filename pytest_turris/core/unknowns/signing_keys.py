"""The form of signing keys: text, base64 or hex, perhaps after a prefix, as the scheme wants it."""

import base64

from pytest_turris.core.unknowns.option_values import OptionError, has_form

_IN_BASE64 = {"standard-webhooks", "svix"}
_PREFIX = "whsec_"
"""How keys of these schemes begin; base64 follows (Standard Webhooks, "Signature scheme")."""


def check_key(scheme: str, form: str, prefix: str, secret: str) -> None:
    """Refuse a webhook secret that the scheme cannot use as a key.

    Args:
        scheme: The option ``signature_scheme``.
        form: The option ``signature_key``.
        prefix: The option ``signature_key_prefix``.
        secret: The option ``webhook_secret``; may be empty.

    Raises:
        OptionError: It does not have that form.
    """
    if form != "text" and not has_form(form, secret.removeprefix(prefix)):
        after = f", with or without {prefix!r} before it" if prefix else ""
        raise OptionError(
            f"turris option 'signature_key': {form!r} needs a 'webhook_secret' in {form}{after}"
        )
    bare = secret.removeprefix(prefix or _PREFIX)
    if secret and scheme in _IN_BASE64 and form == "text" and not has_form("base64", bare):
        raise OptionError(
            f"turris option 'signature_scheme': {scheme!r} needs a 'webhook_secret' in base64, "
            f"with or without {prefix or _PREFIX!r} before it"
        )


def key_of(scheme: str, form: str, prefix: str, secret: str) -> str:
    """Return a secret in the form that a scheme needs for a key.

    Args:
        scheme: The option ``signature_scheme``.
        form: The option ``signature_key``.
        prefix: The option ``signature_key_prefix``.
        secret: Any text.
    """
    if form == "hex":
        return prefix + secret.encode().hex()
    if form == "base64" or scheme in _IN_BASE64:
        own = _PREFIX if scheme in _IN_BASE64 else ""
        return (prefix or own) + base64.b64encode(secret.encode()).decode()
    return secret
