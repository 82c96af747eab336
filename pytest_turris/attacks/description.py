"""One line for what an attack sent, and one for what came back, without keys and signatures."""

import base64
import re
from typing import Literal

from pytest_turris.core.text.redaction import mask
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.webhooks.signed import SignedWebhook

Oracle = Literal["effects", "status", "time", "no oracle", "no leak", "verify first", "health",
                 "constant time", "memory"]  # fmt: skip
"""The seven oracles, the comparison in constant time, and the memory that is taken."""

_LONG = re.compile(
    r"[0-9a-fA-F]{40,}|[A-Za-z0-9+/_-]{40,}=?"
    r"|(?:[0-9a-fA-F]{2} ){20,}[0-9a-fA-F]{2}"  # WH-14 puts spaces between
)
_SHOWN = 160


def described_delivery(webhook: SignedWebhook, method: str, path: str, label: str, key: str) -> str:
    """A delivery in one line, without key and signatures."""
    lines = ", ".join(f"{name}: {value!r}" for name, value in webhook.header_lines)
    text = redacted(f"{method} {path} [{lines}] {len(webhook.body)} bytes", key)
    return f"{label + ': ' if label else ''}{_cut(text)}"


def answered(answer: WebhookResponse | None, key: str, trouble: str = "") -> str:
    """An answer in one line, without key and signatures."""
    if answer is None:
        return f"no answer ({redacted(trouble, key)})"
    # Cut afterwards: the first half of a key would not be known as one.
    text = redacted(answer.text, key)[:_SHOWN].strip()
    error = f", raised {redacted(repr(answer.error), key)}" if answer.error else ""
    return _cut(f"{answer.status_code} {text!r}{error}" if text else f"{answer.status_code}{error}")


def redacted(text: str, key: str) -> str:
    """A text in which the key, its base64 and whatever looks like a signature are masked."""
    if key.strip():
        for form in (key, base64.b64encode(key.encode()).decode()):
            text = text.replace(form, mask(form))
    return _LONG.sub(lambda found: mask(found[0]), text)


def _cut(text: str) -> str:
    return text if len(text) <= 3 * _SHOWN else text[: 3 * _SHOWN] + " ..."
