"""Secrets and details of the code in what a receiver answers, prints and logs."""

import base64
import re
from collections.abc import Iterable, Iterator

from pytest_turris.attacks.context import FORGED_LINE, AttackContext
from pytest_turris.attacks.judging.traces import leaked_details
from pytest_turris.attacks.step import AttackStep
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.webhooks.signature import SignatureError

Leak = tuple[str, str]
"""What was seen, and what is expected."""

_PUBLIC = re.compile(r"turris_[a-z]+_[a-z]+_|(?:v1,)?whsec_")
"""What keys begin with, and is not secret."""

_TELLING = 12
"""Characters of a key that show a part of it, if a digit is among them: others may be words."""


def key_runs(key: str) -> set[str]:
    """Return each run of a key's secret characters that is long enough to be known again.

    Args:
        key: The key as it is configured.
    """
    public = _PUBLIC.match(key)
    secret = key[public.end() :] if public else key
    runs = (secret[at : at + _TELLING] for at in range(len(secret) - _TELLING + 1))
    return {run for run in runs if any(map(str.isdigit, run))}


def leaks_of_output(text: str, key: str, runs: Iterable[str]) -> Iterator[Leak]:
    """What a receiver printed and logged; ``runs`` as for ``leaks_of_answer``."""
    if found := _shown_of_key(text, key, runs):
        yield f"{found} stands in its output", "keep the key to itself"
    if any(line.startswith(FORGED_LINE) for line in text.splitlines()):
        yield "a line of the sender's making stands in its log", "keep to one line for one record"


def leaks_of_answer(
    answer: WebhookResponse, key: str, runs: Iterable[str], unknown: Iterable[str]
) -> Iterator[Leak]:
    """What an answer tells.

    Args:
        answer: What came back.
        key: The signing key.
        runs: Its ``key_runs`` that were not sent.
        unknown: The right signature of what was sent, from ``unknown_signatures``.
    """
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    text = f"{headers}\n{answer.text}"
    if found := _shown_of_key(text, key, runs):
        yield f"{found} stands in the answer", "keep the key to itself"
    if details := leaked_details(text):
        yield f"{answer.status_code} with {details}", "an answer without it"
    if any(right in text for right in unknown):
        yield "the right signature stands in the answer", "keep the signature to itself"


def _shown_of_key(text: str, key: str, runs: Iterable[str]) -> str:
    """How much of the key a text shows, in words; empty if it shows nothing."""
    if key in text:
        return "the key"
    return "a part of the key" if any(run in text for run in runs) else ""


def unknown_signatures(context: AttackContext, step: AttackStep, path: str) -> tuple[str, ...]:
    """The right signature of what was sent, as it may be written, if the sender did not send it.

    Args:
        context: Knows the key, and how webhooks are signed.
        step: What was sent.
        path: The path that was requested.
    """
    webhook = step.webhook
    try:
        right = webhook.signed_with(context.key)
    except SignatureError:
        return ()
    digest = context.digest(right)
    spelled = (
        digest.hex(),
        digest.hex().upper(),
        base64.b64encode(digest).decode(),
        base64.urlsafe_b64encode(digest).decode(),
    )
    # Without its padding too, as some write it.
    bare = tuple(dict.fromkeys(text.rstrip("=") for text in spelled))
    sent = f"{webhook.header_lines}{path}"
    known = any(text in sent or text.encode() in webhook.body for text in bare)
    return () if known else bare
