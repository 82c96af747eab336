"""Secrets and details of the code in what a receiver answers, prints and logs."""

from collections.abc import Iterator

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


def leaks_of_answer(
    context: AttackContext, step: AttackStep, path: str, answer: WebhookResponse
) -> Iterator[Leak]:
    """What an answer tells.

    Args:
        context: Knows the key, and how webhooks are signed.
        step: What was sent.
        path: The path that was requested.
        answer: What came back.
    """
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    text = f"{headers}\n{answer.text}"
    if context.key in text:
        yield "the key stands in the answer", "keep the key to itself"
    if details := leaked_details(text):
        yield f"{answer.status_code} with {details}", "an answer without it"
    right = _unknown_signature(context, step, path)
    if right and right in text:
        yield "the right signature stands in the answer", "keep the signature to itself"


def _unknown_signature(context: AttackContext, step: AttackStep, path: str) -> str:
    """The right signature of what was sent, if the sender did not send it."""
    webhook = step.webhook
    try:
        value = webhook.signed_with(context.key).headers[context.scheme.header]
    except SignatureError:
        return ""
    right = value[-context.scheme.signature_length :]
    sent = f"{webhook.header_lines}{path}{webhook.body!r}"
    return "" if right in sent else right
