"""WH-112 to WH-116, WH-145: what is tried on the first event is tried on each that is acted on."""

import json
from collections.abc import Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import ALL_EVENTS, AttackContext
from pytest_turris.attacks.families.discovery import acted_on
from pytest_turris.attacks.families.variants import (
    Variants,
    crash_level,
    emptied,
    named,
    without_members,
    wrongly_typed,
)
from pytest_turris.attacks.step import AttackStep, accepted, refused, tolerated
from pytest_turris.findings.errors import NotApplicableError

EVERY_TYPE = Catalogue("events")
_attack = EVERY_TYPE.attack

_CRASHED = "The signature is right, so the webhook is sent again and again, and fails again."
_SHAPE = "Validate the shape of each type after the signature, and answer 400."
_BRANCH = "A signature that is verified in the handler of one event protects no other event."
_NAME = 'Zo\u00eb & Fils \u2013 O\'Brien "S\u00fcd" \U0001f3e2'


@_attack(
    "WH-112",
    "every-type-forged",
    quick=True,
    does="Sends each type of event that the receiver acts on with a wrong signature, with an empty "
    "one, and with none.",
    wants="Refuse each (4xx), and do nothing.",
    why=_BRANCH + " Anyone can send what is not verified.",
    fix="Verify before you look at webhookType, in one place for all types.",
    source="whatomate 331 (one kind of field verified, three others not); Turris, guides/webhooks: "
    "four types of event",
)
def _forged(context: AttackContext) -> Iterator[AttackStep]:
    for name in (yield from acted_on(context)):
        yield refused(context.event(name).unsigned(), f"{name}, none")
        yield refused(context.wrongly_signed(context.event(name)), f"{name}, wrong")
        yield refused(context.with_header_value(context.event(name), ""), f"{name}, empty")


@_attack(
    "WH-113",
    "every-type-emptied",
    quick=True,
    does="Sends each type of event with every list, or every object, of its payload emptied.",
    wants="Accept or refuse it; no error.",
    why=_CRASHED,
    fix="Look whether there is one before you take the first of a list.",
    source="CVE-2025-59538 (Argo CD: an empty list of commits stops the server)",
)
def _emptied(context: AttackContext) -> Iterator[AttackStep]:
    yield from _each(context, emptied)


@_attack(
    "WH-114",
    "every-type-missing-members",
    quick=True,
    does="Sends each type of event without one of its members, one after another.",
    wants="Accept or refuse it; no error.",
    why=_CRASHED,
    fix=_SHAPE,
    source="CVE-2025-59538 (Argo CD); guides/webhooks: members that are absent",
)
def _missing(context: AttackContext) -> Iterator[AttackStep]:
    for name in context.events:
        event = context.event(name).json
        for member in ("payload", "upstreamEntityId", "webhookType"):
            if context.scheme.signs != "payload" or member != "payload":
                left = {key: value for key, value in event.items() if key != member}
                yield tolerated(context.sign(left), f"{name} without {member}")
    yield from _each(context, without_members)


@_attack(
    "WH-115",
    "every-type-wrong-types",
    quick=True,
    does="Sends each type of event with null, a number, a text, a list or an object where another "
    "type is documented.",
    wants="Accept or refuse it; no error.",
    why=_CRASHED,
    fix=_SHAPE,
    source="CVE-2025-59538 (Argo CD); RFC 8259, 3: each of these is a JSON value",
)
def _types(context: AttackContext) -> Iterator[AttackStep]:
    yield from _each(context, wrongly_typed)


@_attack(
    "WH-116",
    "every-type-outside-ascii",
    quick=True,
    does="Sends each type of event with names outside ASCII, written as they are and as escapes, "
    "and with quotes and an ampersand in them.",
    wants="Accept it (2xx), and act on it.",
    why="Decoding and encoding again loses the webhooks of customers with such names.",
    fix="Verify the raw bytes; write names as parameters and as UTF-8.",
    source="RFC 8259, 7 and 8.1; razorpay-dot-net 156",
)
def _names(context: AttackContext) -> Iterator[AttackStep]:
    for name in (yield from acted_on(context)):
        event = context.event(name).json
        event["payload"] = named(event["payload"], _NAME)
        if not context.events[name]:  # a receiver may require its members as they are
            event["note"] = _NAME
        for label, ascii_only in (("as they are", False), ("escapes", True)):
            text = json.dumps(event | {"form": label}, ensure_ascii=ascii_only)
            yield accepted(context.sign(text.encode()), f"{name}, {label}")


@_attack(
    "WH-145",
    "every-type-genuine",
    quick=True,
    does="Sends each type of event, genuine.",
    wants="Accept it (2xx), and act on it.",
    why="A type that is refused, or acknowledged and dropped, is lost: nothing sends it again.",
    fix="Act on each type that a webhook is registered for. If those are not all four, name them: "
    "run(..., events={...}).",
    source="guides/webhooks: four types of event",
)
def _genuine(context: AttackContext) -> Iterator[AttackStep]:
    acted = yield from acted_on(context)
    if set(context.events) != set(ALL_EVENTS):
        for name in context.events:
            yield accepted(context.event(name), name)
        return
    # Unless the test names the types, a receiver may have registered for some only.
    if len(acted) == 1:
        raise NotApplicableError(f"it acts on one type, {acted[0]}; events=... names those it has")
    for name in context.events:
        yield accepted(context.event(name), name, level="should", effects_level="should")


def _each(context: AttackContext, variants: Variants) -> Iterator[AttackStep]:
    """Each type of event with each variant of its payload, rightly signed."""
    for name in context.events:
        event = context.event(name).json
        for label, payload in variants(event["payload"]):
            webhook = context.sign(event | {"payload": payload})
            yield tolerated(webhook, f"{name}, {label}", crash_level=crash_level(payload))
