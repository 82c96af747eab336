"""WH-142 to WH-144: what the protocols of other senders do, tried without a signature."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Unpack
from urllib.parse import quote

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.families.advice import FORGED
from pytest_turris.attacks.judging.trap import the_trap, unvisited
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    Judgement,
    StepOutcome,
    Transmission,
    Trouble,
    refused,
)
from pytest_turris.webhooks.signed import SignedWebhook

CHOSEN_KEYS = Catalogue("keys")
FOREIGN_PROTOCOLS = Catalogue("transport")

_KEY = "turris_sender_chosen_key_0123456789abcdef"
_KEY_HEADERS = (
    "X-Webhook-Secret", "X-Turris-Webhook-Secret", "X-Secret", "X-Signing-Secret", "X-Hook-Secret",
    "X-Webhook-Key", "X-Key", "X-Djstripe-Webhook-Secret", "Webhook-Secret",
)  # fmt: skip
_KEY_NAMES = ("secret", "key", "webhookSecret", "webhook_secret", "signingSecret", "token")
_MARKUP = "<turris-reflected onload=turris()>"
_CHALLENGES = (
    "hub.mode=subscribe&hub.verify_token={0}&hub.challenge={0}",
    "challenge={0}&validationToken={0}&crc_token={0}&msg={0}&error={0}",
)
_AS_USUAL = Transmission()
_PLAIN = re.compile(r"^\s*(?:text/plain|application/(?:[\w.-]+\+)?json)\b", re.IGNORECASE)


@CHOSEN_KEYS.attack(
    "WH-142",
    "key-from-the-request",
    quick=True,
    does="Signs an event with a key of the sender's own, and names that key in headers, in the "
    "query and in the body.",
    wants="Refuse it (4xx), and do nothing.",
    why="A key that comes with the request proves nothing about who sent it. " + FORGED,
    fix="Take the key from your configuration alone.",
    source="dj-stripe 1923 (a header took precedence over the configured secret); CWE-347",
)
def _chosen(context: AttackContext) -> Iterator[AttackStep]:
    key = context.configured_key(_KEY.encode())
    headers = [(name, key) for name in _KEY_HEADERS]
    webhook = context.genuine().signed_with(key)
    yield refused(with_header_lines(webhook, *headers), "key in headers")
    query = "&".join(f"{name}={quote(key)}" for name in _KEY_NAMES)
    there = Transmission(change_path=lambda path: f"{path}?{query}")
    yield refused(context.genuine().signed_with(key), "key in the query", transmission=there)
    named = context.genuine().json | dict.fromkeys(_KEY_NAMES, key)
    yield refused(context.sign(named).signed_with(key), "key in the body")


@FOREIGN_PROTOCOLS.attack(
    "WH-143",
    "reflected-markup",
    does="Asks with markup in the parameters by which other senders verify an endpoint, by GET and "
    "by POST, in the texts of unsigned events, and in their headers.",
    wants="Repeat none of it as HTML.",
    why="What is repeated as HTML runs in the browser of each user who follows a link, with the "
    "rights of the receiver's site.",
    fix="Answer text/plain or JSON, and repeat nothing; answer 405 to GET.",
    source="messenger-platform-samples 181, pywa 198 (hub.challenge); CWE-79; WebSub, 5.3.1; "
    "PortSwigger, practical web cache poisoning (markup in a header)",
)
def _reflected(context: AttackContext) -> Iterator[AttackStep]:
    for query in _CHALLENGES:
        filled = query.format(quote(_MARKUP))
        for method in ("GET", "POST"):
            there = Transmission(change_path=_with_query(filled), method=method)
            label = f"{method} ?{query.partition('=')[0]}"
            yield _unsigned(context.genuine().unsigned(), label, there)
    event = context.genuine().json
    texts = dict.fromkeys(("webhookType", "type", "challenge", "upstreamEntityId"), _MARKUP)
    yield _unsigned(context.sign(event | texts).unsigned(), "in the body")
    headers = (context.scheme.header, "User-Agent", "Referer", "X-Forwarded-Host", "X-Request-Id")
    bare = context.genuine().unsigned()
    for name in headers:
        yield _unsigned(
            with_header_lines(bare, (name, _MARKUP)),
            f"in {name}",
            level="should",
            why="No link sets a header, so that this takes a cache that keeps the answer, or a "
            "client that lets a sender choose headers.",
        )


def _with_query(query: str) -> Callable[[str], str]:
    return lambda path: f"{path}?{query}"


def _unsigned(
    webhook: SignedWebhook,
    label: str,
    how: Transmission = _AS_USUAL,
    **judgement: Unpack[Judgement],
) -> AttackStep:
    """A request that is not signed, of which nothing may be shown as HTML; it does nothing."""
    return AttackStep(
        webhook=webhook,
        expected=ExpectedBehaviour(answers="any", effects="none"),
        transmission=how,
        label=label,
        examine=_shown_as_markup,
        **judgement,
    )


def _shown_as_markup(seen: StepOutcome) -> Iterable[Trouble]:
    if seen.answer is None or _MARKUP not in seen.answer.text:
        return
    kind = seen.answer.headers.get("content-type", "")
    if not _PLAIN.match(kind):
        came = f"{seen.answer.status_code} {kind or 'without a type'}: markup of the sender's"
        yield Trouble(came, "text/plain, JSON, or nothing of it", "no leak")


@FOREIGN_PROTOCOLS.attack(
    "WH-144",
    "unsigned-confirmation",
    quick=True,
    does="Asks, unsigned and as other senders do, to confirm a subscription by a request to a URL "
    "on this machine.",
    wants="Refuse it (4xx), and make no request.",
    why="Anyone makes the receiver send requests from inside your network.",
    fix="Verify first; confirm no subscription by a URL from a request.",
    source="Mailtrain 1389, novu 11223 (SubscribeURL of an unsigned SNS message); CWE-918",
)
def _confirmation(context: AttackContext) -> Iterator[AttackStep]:
    with the_trap().watch("WH-144") as watch:
        for kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation", "Notification"):
            members = {
                "Type": kind,
                "SubscribeURL": watch.url("SubscribeURL"),
                "UnsubscribeURL": watch.url("UnsubscribeURL"),
                "SigningCertURL": watch.url("SigningCertURL"),
                "validationUrl": watch.url("validationUrl"),
                "confirmationUrl": watch.url("confirmationUrl"),
            }
            event = context.sign(context.genuine().json | members).unsigned()
            yield refused(with_header_lines(event, ("x-amz-sns-message-type", kind)), kind)
        handshake = context.sign(context.genuine().json).unsigned()
        lines = ("WebHook-Request-Callback", "X-Callback-Url", "Callback-Url", "Link")
        asked = with_header_lines(handshake, *((name, watch.url(name)) for name in lines))
        yield refused(asked, "in headers").examined(lambda _: unvisited(watch))
