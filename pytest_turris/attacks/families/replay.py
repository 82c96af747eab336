"""WH-84 to WH-95: the same webhook again, too late, or in another order."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import (
    ALL_EVENTS,
    AttackContext,
    timestamp_of,
    with_header_lines,
)
from pytest_turris.attacks.families.advice import DONE_TWICE, HINT
from pytest_turris.attacks.step import (
    AttackStep,
    Transmission,
    accepted,
    refused,
    tolerated,
)
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.webhooks.signed import SignedWebhook

REPLAY = Catalogue("replay")
_attack = REPLAY.attack

_OTHER_LINES = (
    ("User-Agent", "Replayer/2.0"),
    ("Accept", "*/*;q=0.1"),
    ("Date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("X-Turris-Attempt", "2"),
)
_BURSTS = 5
"""A look and an insert that follow each other at once are missed by one burst in ten to thirty."""

_IN_WORK = (409, 425, 503)
"""What a receiver may answer to a copy of what it is working on: the sender can try again."""

_ONCE = "Remember the digest of each body in the transaction that does the work."
_NO_ORDER = "No documented member has a time, so the last to arrive need not be the latest."


@_attack(
    "WH-84",
    "immediate-duplicate",
    quick=True,
    does="Sends the same bytes twice.",
    wants="Accept both (2xx), and act once.",
    why=DONE_TWICE,
    fix=_ONCE,
    source="guides/webhooks: tolerate duplicates",
)
def _duplicate(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield accepted(webhook, "first")
    yield accepted(webhook, "second", effects="none")


@_attack(
    "WH-85",
    "concurrent-duplicate",
    quick=True,
    does="Sends the same bytes twenty times at once, and does so with five webhooks.",
    wants="Accept one (2xx), and act once. Accept the others, or answer 409, 425 or 503 while the "
    "first is in work.",
    why="Between the look and the act another one has looked.",
    fix="Claim the digest atomically: a unique key in the database, not a look before an insert.",
    source="covenant 271; draft-ietf-httpapi-idempotency-key-header, error scenarios: 409 for a "
    "request that is still being processed",
)
def _concurrent(context: AttackContext) -> Iterator[AttackStep]:
    yield accepted(context.genuine(), "alone")
    at_once = Transmission(copies=20)
    for _ in range(_BURSTS):
        twenty = accepted(context.genuine(), "twenty", effects="same", transmission=at_once)
        expected = replace(twenty.expected, refusals=_IN_WORK)
        yield replace(twenty, expected=expected, enough=True)


@_attack(
    "WH-86",
    "late-replay",
    does="Sends the same bytes again after a day, and after a month. Where the time is signed: "
    "webhooks signed for the day before, the day after and the year 3000, and a time that is "
    "written otherwise than it was signed.",
    wants="Do nothing; where the time is signed, refuse (4xx) what was signed long ago; no error.",
    why="A captured webhook verifies until the key is rotated, or until the time that it carries.",
    fix="Keep digests as long as the key holds, or read the status from the API. Refuse a signed "
    "time that is older than a few minutes.",
    source="no timestamp in Turris' scheme (assumed); Standard Webhooks: verify the timestamp; "
    "Stripe: the libraries' default tolerance is five minutes",
)
def _late(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield accepted(webhook, "first")
    if context.scheme.timestamped:
        yield from _other_times(context)
    if context.scheme.timestamped and context.hooks.advance is None:
        return
    for hours in (24, 29 * 24):
        context.advance_clock(hours=hours)
        yield tolerated(webhook, f"{hours} hours later", effects="none")


def _other_times(context: AttackContext) -> Iterator[AttackStep]:
    """Times that are long past, which a good receiver refuses, and others that do no harm.

    Only the owner of the key can sign for a time to come; a fraction of a second changes nothing:
    Stripe's, Slack's and Svix' libraries accept one or the other.
    """
    now, day = context.now, dt.timedelta(days=1)
    yield refused(context.signed_at(context.genuine(), now - day), "signed a day ago")
    for label, moment in (
        ("signed for tomorrow", now + day),
        ("signed for the year 3000", now.replace(year=3000, day=1)),
    ):
        yield tolerated(context.signed_at(context.genuine(), moment), label)
    webhook = context.genuine()
    fraction = context.with_timestamp(webhook, f"{timestamp_of(webhook)}.9")
    yield tolerated(fraction, "a fraction that is not signed")


@_attack(
    "WH-87",
    "replay-with-other-headers",
    does="Sends the same body with other headers, which are not signed (assumed).",
    wants="Do nothing.",
    why="An attacker who replays writes a new delivery id.",
    fix="Key on what is signed: the body.",
    source="pr-agent 476, first-tree 1627",
)
def _headers(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield accepted(with_header_lines(webhook, *_ids(context, "a")), "first")
    yield tolerated(with_header_lines(webhook, *_ids(context, "b")), "other ids", effects="none")
    yield tolerated(_by_another(webhook), "another sender", effects="none")


@_attack(
    "WH-88",
    "replay-without-id",
    does="Sends the same body without the delivery id that it came with.",
    wants="Do nothing.",
    why="An attacker who replays leaves the delivery id out.",
    fix="Key on what is signed: the body.",
    source="as WH-87",
)
def _without_id(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield accepted(with_header_lines(webhook, *_ids(context, "a")), "with an id")
    yield tolerated(webhook, "without", effects="none")


@_attack(
    "WH-89",
    "cross-endpoint-replay",
    does="Sends a genuine event of another webhook to this endpoint.",
    wants="Do nothing.",
    why="Each webhook has one type; what an endpoint does not expect, it has not thought about.",
    fix="Check webhookType at each endpoint.",
    source="help centre: one event type per webhook",
)
def _crossed(context: AttackContext) -> Iterator[AttackStep]:
    others = [name for name in ALL_EVENTS if name not in context.events]
    if not others:
        raise NotApplicableError(
            "the receiver acts on every event: say which with run(..., events=...)"
        )
    for name in others:
        yield tolerated(context.factory.event(name), name, effects="none")


@_attack(
    "WH-91",
    "out-of-order",
    does="Sends the newer status before the older one.",
    wants="Believe what the API says.",
    why=_NO_ORDER,
    fix=HINT,
    source="no order is guaranteed",
)
def _order(context: AttackContext) -> Iterator[AttackStep]:
    older, newer = context.status_webhook("COMPLIANT"), context.status_webhook("NOT_COMPLIANT")
    context.set_api_status("NOT_COMPLIANT")
    yield tolerated(newer, "newer first")
    yield tolerated(older, "older last", stored_status="NOT_COMPLIANT")


@_attack(
    "WH-92",
    "legitimate-repeat",
    does="Sends three genuine events with different contents.",
    wants="Accept and act on each.",
    why="A receiver that keys on too little takes the second event for a duplicate.",
    fix="Key on the whole body, not on an id inside it.",
    source="over-eager deduplication",
)
def _repeat(context: AttackContext) -> Iterator[AttackStep]:
    first = context.genuine()
    for number in ("first", "second", "third"):
        event = first.json | {"note": number}
        yield accepted(context.sign(event), number)


@_attack(
    "WH-95",
    "mass-replay",
    does="Sends an old webhook a thousand times, twenty at once.",
    wants="Accept or refuse them, act no more, and stay healthy.",
    why="A replay costs nothing; the work that it starts does.",
    fix="Look for the digest before any other work.",
    source="librefang 3878",
)
def _mass(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield accepted(webhook, "first")
    many = Transmission(copies=1_000)
    yield tolerated(webhook, "a thousand", effects="none", transmission=many)


def _ids(context: AttackContext, value: str) -> list[tuple[str, str]]:
    """Unsigned ids; if the scheme signs an id, its header is left out."""
    names = ("X-Request-Id", "X-Turris-Delivery", "Webhook-Id", "Idempotency-Key")
    signed = context.scheme.id_header.lower()
    return [(name, f"turris-{value}") for name in names if name.lower() != signed]


def _by_another(webhook: SignedWebhook) -> SignedWebhook:
    """The webhook with other values in headers that a client or a proxy writes."""
    names = {name.lower() for name, _ in _OTHER_LINES}
    kept = tuple(line for line in webhook.header_lines if line[0].lower() not in names)
    return with_header_lines(replace(webhook, header_lines=kept), *_OTHER_LINES)
