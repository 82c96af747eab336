"""WH-100 to WH-111, WH-158: the shapes and sequences of Turris' own events; all rightly signed."""

from collections.abc import Iterator
from typing import Any

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.families.advice import ACTING_IS_NOTED, HINT
from pytest_turris.attacks.families.discovery import acted_on
from pytest_turris.attacks.step import AttackStep, accepted, tolerated

EVENT_SHAPES = Catalogue("events")
_attack = EVENT_SHAPES.attack

_ARRAY = "The payload of the two status events is an array (documented)."
_SYNC = "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED"
_AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"
_BATCH = 10_000


@_attack(
    "WH-100",
    "poison-in-a-batch",
    does="Puts a broken entry between good ones, and sends the batch again.",
    wants="Take all, none or the good ones; act on none of them again.",
    why="A batch that fails halfway repeats its first half at each resend.",
    fix="Validate the whole batch before the first effect.",
    source="status events are batches",
)
def _poison(context: AttackContext) -> Iterator[AttackStep]:
    event = context.status_event(payload=[{}, {}, {}]).json
    event["payload"][1] = {"npn": 7, "products": None}
    webhook = context.sign(event)
    yield tolerated(webhook, "first")
    yield tolerated(webhook, "again", effects="none")


@_attack(
    "WH-101",
    "duplicate-inside-a-batch",
    level="should",
    does="Names the same entity twice in one batch, equal and contradictory.",
    wants="Act on it once, or refuse the batch.",
    why="One change is counted twice.",
    fix="Key effects on the entity within the webhook.",
    source="status events are batches",
)
def _twice(context: AttackContext) -> Iterator[AttackStep]:
    event = context.status_event().json
    yield accepted(context.sign(event), "once")
    entry = context.status_event().json["payload"][0]
    yield tolerated(context.sign(event | {"payload": [entry, entry]}), "equal", effects="at most")
    entry = context.status_event().json["payload"][0]
    other = entry | {"products": []}
    twice = context.sign(event | {"payload": [entry, other]})
    yield tolerated(twice, "contradictory", effects="at most")


@_attack(
    "WH-102",
    "shape-swapped",
    does="Sends an object where the event has an array, and the reverse.",
    wants="Refuse it (4xx), or accept it and do nothing; no error." + ACTING_IS_NOTED,
    why="Code that was written for one event meets the shape of another. To act on both shapes is "
    "harmless, but was hardly meant.",
    fix="Validate the shape by webhookType.",
    source=_ARRAY,
)
def _swapped(context: AttackContext) -> Iterator[AttackStep]:
    for name in context.events:
        event = context.event(name).json
        payload = event["payload"]
        swapped = payload[0] if isinstance(payload, list) else [payload]
        swap = context.sign(event | {"payload": swapped})
        yield tolerated(swap, name, effects="none", effects_level="info")


@_attack(
    "WH-103",
    "cross-type-order",
    does="Sends the end of a sync before the status change that it caused, and after it.",
    wants="Believe what the API says, in both orders.",
    why="One type is sent at once, the other after up to 30 minutes.",
    fix=HINT,
    source="guides/webhooks: debouncing",
)
def _cross_order(context: AttackContext) -> Iterator[AttackStep]:
    for status in ("NOT_COMPLIANT", "COMPLIANT"):
        context.set_api_status(status)
        change, sync = context.status_webhook(status), context.event(_SYNC)
        pair = (sync, change) if status == "COMPLIANT" else (change, sync)
        yield tolerated(pair[0], f"{status}, first")
        yield tolerated(pair[1], f"{status}, second", stored_status=status)


@_attack(
    "WH-104",
    "old-shape",
    does='Sends the sync event as before March 2026: entityId "undefined", no npn.',
    wants="Accept or refuse it, and do nothing; no error." + ACTING_IS_NOTED,
    why='The text "undefined" is not an id; a receiver that stores it mixes up all entities.',
    fix="Validate the shape, and ignore what has no npn.",
    source="changelog",
)
def _old(context: AttackContext) -> Iterator[AttackStep]:
    event = context.event(_SYNC).json
    del event["payload"]["npn"]
    event["payload"]["entityId"] = "undefined"
    yield tolerated(context.sign(event), effects="none", effects_level="info")


@_attack(
    "WH-105",
    "additive-members",
    quick=True,
    does="Adds unknown members at every level.",
    wants="Accept it (2xx).",
    why="New members come without a new version: genuine webhooks are lost.",
    fix="Ignore members that you do not know.",
    source="guides/versioning",
)
def _additive(context: AttackContext) -> Iterator[AttackStep]:
    for name in context.events:
        yield accepted(context.sign(_with_more(context.event(name).json)), name)


@_attack(
    "WH-106",
    "absent-null-or-empty",
    quick=True,
    does="Leaves optional members out, or sends them as null or empty.",
    wants="Accept it (2xx).",
    why="Genuine webhooks are lost.",
    fix="Ask for what is required, and for nothing else.",
    source="guides/webhooks: the event pages",
)
def _absent(context: AttackContext) -> Iterator[AttackStep]:
    for name in (yield from acted_on(context)):
        if name == _AGREEMENT:
            bare = {"contractContainerInstanceId": None, "contractContainerTemplateId": None}
            yield accepted(context.event(name, producerCode=None), "producerCode null")
            unnamed = bare | {"contractContainerTemplateName": None}
            yield accepted(context.event(name, **bare), "no container")
            yield accepted(context.event(name, **unnamed), "no container, null")
            event = context.event(name).json
            left = {key: value for key, value in event["payload"].items() if key not in unnamed}
            yield accepted(context.sign(event | {"payload": left}), "no container, left out")
        elif name != _SYNC:
            event = context.event(name).json
            nothing: tuple[list[str] | None, ...] = (None, [])
            for value in nothing:
                for entry in event["payload"]:
                    state = entry["products"][0]["states"][0]
                    state["licenseStatus"]["statusMessages"] = value
                yield accepted(context.sign(event), f"{name}: statusMessages {value}")


@_attack(
    "WH-107",
    "consolidation",
    does="Sends one webhook for three changes, with the last state only.",
    wants="Believe what the API says.",
    why="A receiver that expects to see every change falls behind.",
    fix=HINT,
    source="guides/webhooks: debouncing",
)
def _consolidated(context: AttackContext) -> Iterator[AttackStep]:
    for status in ("COMPLIANT", "NOT_COMPLIANT", "COMPLIANT"):
        context.set_api_status(status)
    yield tolerated(context.status_webhook("COMPLIANT"), stored_status="COMPLIANT")


@_attack(
    "WH-108",
    "maximum-batch",
    does="Sends a batch of 10,000 entities, of several megabytes.",
    wants="Accept it (2xx) or answer 413, in hardly more time than other webhooks take.",
    why="The batch limit is not documented; a large agency has many agents.",
    fix="Store the webhook and answer; work in the background.",
    source="undocumented",
)
def _batch(context: AttackContext) -> Iterator[AttackStep]:
    event = context.status_event().json
    entry: dict[str, Any] = event["payload"][0]
    entries = [entry | {"npn": f"{number:08d}"} for number in range(_BATCH)]
    webhook = context.sign(event | {"payload": entries})
    yield tolerated(webhook, may_hang_up=True)


@_attack(
    "WH-109",
    "test-delivery",
    level="should",
    does="Sends what a test button may send.",
    wants="Accept it (2xx), and do nothing." + ACTING_IS_NOTED,
    why="A test that fails looks like a broken endpoint; one that is believed changes data.",
    fix="Answer 204 to what you do not know.",
    source="guides/webhooks: test webhook feature; its body is not documented",
)
def _test(context: AttackContext) -> Iterator[AttackStep]:
    event = context.genuine().json
    yield accepted(
        context.sign(event | {"webhookType": "TEST", "payload": {"test": True}}),
        effects="none",
        effects_level="info",
        crash_level="should",
    )


@_attack(
    "WH-110",
    "rollback-replay",
    does="Replays an old, rightly signed COMPLIANT after the API says NOT_COMPLIANT.",
    wants="Believe what the API says.",
    why="Anyone who kept one webhook can make an agent compliant again at any time.",
    fix=HINT,
    source="no time in envelope or payload",
)
def _rollback(context: AttackContext) -> Iterator[AttackStep]:
    context.set_api_status("COMPLIANT")
    captured = context.status_webhook("COMPLIANT")
    yield tolerated(captured, "captured", stored_status="COMPLIANT")
    context.set_api_status("NOT_COMPLIANT")
    change = context.status_webhook("NOT_COMPLIANT")
    yield tolerated(change, "change", stored_status="NOT_COMPLIANT")
    if context.hooks.advance is not None:
        context.advance_clock(days=1)
    yield tolerated(captured, "replayed", stored_status="NOT_COMPLIANT")


@_attack(
    "WH-111",
    "genuine-return",
    does="Goes from COMPLIANT to NOT_COMPLIANT and back, with the same bytes as at first.",
    wants="Believe what the API says.",
    why="A receiver that drops a status it has seen before keeps the one in between.",
    fix=HINT,
    source="no time in envelope or payload",
)
def _return(context: AttackContext) -> Iterator[AttackStep]:
    for status in ("COMPLIANT", "NOT_COMPLIANT", "COMPLIANT"):
        context.set_api_status(status)
        yield tolerated(context.status_webhook(status), status, stored_status=status)


def _with_more(node: Any) -> Any:  # noqa: ANN401 - as deep as JSON
    if isinstance(node, dict):
        more = {name: _with_more(value) for name, value in node.items()}
        return more | {"addedIn2030": {"is": ["new"]}}
    return [_with_more(value) for value in node] if isinstance(node, list) else node


@_attack(
    "WH-158",
    "failed-synchronization",
    level="should",
    does="Sends the end of a synchronization with another synchronizationStatus than success.",
    wants="Accept it (2xx).",
    why="Turris shows success alone, and its table of values is cut off: a receiver that refuses "
    "all others never learns that a synchronization failed, and gets the webhook again.",
    fix="Store the status as it is, and act on success alone.",
    source="guides/webhooks: synchronizationStatus is a string",
)
def _failed_sync(context: AttackContext) -> Iterator[AttackStep]:
    for status in ("failed", "failure", "error", "partial"):
        event = context.event(_SYNC, synchronizationStatus=status)
        yield accepted(event, status, effects="any")
