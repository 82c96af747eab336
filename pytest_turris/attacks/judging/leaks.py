"""Secrets and details of the code in what a receiver answers, prints and logs."""

import base64
from collections.abc import Iterable, Iterator

from pytest_turris.attacks.context import FORGED_LINE, AttackContext
from pytest_turris.attacks.judging.traces import leaked_details
from pytest_turris.attacks.step import AttackStep
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.webhooks.signature import SignatureError

Leak = tuple[str, str]
"""What was seen, and what is expected."""


def leaks_of_output(text: str, key: str) -> Iterator[Leak]:
    """What a receiver printed and logged."""
    if key in text:
        yield "the key stands in its output", "keep the key to itself"
    if any(line.startswith(FORGED_LINE) for line in text.splitlines()):
        yield "a line of the sender's making stands in its log", "keep to one line for one record"


def leaks_of_answer(answer: WebhookResponse, key: str, unknown: Iterable[str]) -> Iterator[Leak]:
    """What an answer tells.

    Args:
        answer: What came back.
        key: The signing key.
        unknown: The right signature of what was sent, from ``unknown_signatures``.
    """
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    text = f"{headers}\n{answer.text}"
    if key in text:
        yield "the key stands in the answer", "keep the key to itself"
    if details := leaked_details(text):
        yield f"{answer.status_code} with {details}", "an answer without it"
    if any(right in text for right in unknown):
        yield "the right signature stands in the answer", "keep the signature to itself"


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
