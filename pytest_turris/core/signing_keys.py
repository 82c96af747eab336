"""The form of signing keys: text, base64, or base64 after a prefix, as the scheme wants it."""

import base64

from pytest_turris.core.option_values import OptionError, is_base64

_IN_BASE64 = {"standard-webhooks", "svix"}
_PREFIX = "whsec_"
"""How keys of these schemes begin; base64 follows (Standard Webhooks, "Signature scheme")."""


def check_key(scheme: str, form: str, secret: str) -> None:
    """Refuse a webhook secret that the scheme cannot take for a key.

    Args:
        scheme: The option ``signature_scheme``.
        form: The option ``signature_key``.
        secret: The option ``webhook_secret``; may be empty.

    Raises:
        OptionError: It is not base64.
    """
    if form == "base64" and not is_base64(secret):
        raise OptionError(
            "turris option 'signature_key': 'base64' needs a 'webhook_secret' in base64"
        )
    if secret and scheme in _IN_BASE64 and not is_base64(secret.removeprefix(_PREFIX)):
        raise OptionError(
            f"turris option 'signature_scheme': {scheme!r} needs a 'webhook_secret' in base64, "
            f"with or without {_PREFIX!r} before it"
        )


def key_of(scheme: str, secret: str) -> str:
    """Return a secret in the form that a scheme wants for a key.

    Args:
        scheme: The option ``signature_scheme``.
        secret: Any text.
    """
    if scheme not in _IN_BASE64:
        return secret
    return _PREFIX + base64.b64encode(secret.encode()).decode()
