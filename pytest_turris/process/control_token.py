"""The control token of a standalone server: read from the environment, and masked in texts."""

import os
import re

from pytest_turris.core.text.redaction import mask, note_secret, redact

CONTROL_TOKEN = "TURRIS_CONTROL_TOKEN"
"""The environment variable that holds it."""

_VISIBLE = re.compile(r"[!-~]*")
_SHORTEST = 6
"""A shorter one may be part of other words by chance: it is masked where it is sent only."""


class ControlTokenError(ValueError):
    """A control token that no header can carry. The message does not have it."""


def control_token() -> str:
    """Return the control token of the environment; empty if there is none.

    Raises:
        ControlTokenError: It cannot be one.
    """
    return checked_control_token(os.environ.get(CONTROL_TOKEN, ""), CONTROL_TOKEN)


def checked_control_token(text: str, source: str) -> str:
    """Return a control token without the white space around it, such as a file's last newline.

    Args:
        text: What was given.
        source: Where it was given, for the message.

    Raises:
        ControlTokenError: It cannot be one.
    """
    token = text.strip()
    if not _VISIBLE.fullmatch(token):
        raise ControlTokenError(
            f"{source} has a space, a control character or a letter outside ASCII in it: "
            "no control token has"
        )
    note_secret(token)
    return token


def without_control_token(text: str, token: str = "") -> str:
    """Return a text for people, redacted, and without the control token of this process.

    A token that a user chose has no mark by which redaction knows it, so its value is looked for.

    Args:
        text: Such as an error, which a server may have worded.
        token: Another control token than that of the environment.
    """
    given = os.environ.get(CONTROL_TOKEN, "")
    known = {given, given.strip(), token}
    # As ``repr`` and JSON write it, too.
    known |= {repr(one)[1:-1] for one in known} | {ascii(one)[1:-1] for one in known}
    for secret in sorted(known - {""}, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, mask(secret.strip()))
        text = text.replace(f"Bearer {secret}", "Bearer ***")
    return redact(text)
