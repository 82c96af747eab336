"""WH-127, WH-150 to WH-152: entities, keys and tenants that the receiver does not know."""

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    Judgement,
    StepOutcome,
    Transmission,
    Trouble,
    refused,
    tolerated,
)
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.webhooks.signed import SignedWebhook

TENANTS = Catalogue("keys")
_attack = TENANTS.attack

_UNKNOWN = "507f1f77bcf86cd799439fff"
_UNSET = ("", " ", "None", "null", "undefined", "nil", "false", "0", "[object Object]", "NaN")
_KEY_NAMES = (
    "X-Key-Id", "X-Turris-Key-Id", "X-Turris-Kid", "X-Signature-Key-Id", "X-Webhook-Key-Id",
    "X-Webhook-Id", "X-Turris-Webhook-Id", "X-Key-Name", "X-Key-Version", "X-Client-Id",
    "X-Account-Id", "X-Tenant", "X-Tenant-Id", "X-Turris-Tenant", "X-Turris-Entity-Id",
    "X-Upstream-Entity-Id", "kid", "keyId", "Key-Id",
)  # fmt: skip
_FOREIGN = "507f1f77bcf86cd799439aaa"
_ODD: tuple[object, ...] = (None, "", "undefined", "__proto__", "constructor", "toString", 0, [])


@_attack(
    "WH-127",
    "unknown-entity-empty-key",
    quick=True,
    does="Sends an event of an entity that the receiver does not know, or that names something "
    "every object has, signed with an empty key and with what an unset key turns into.",
    wants="Refuse it (4xx), and do nothing.",
    why="Where each entity has its own key, a key that was never set is known to every sender.",
    fix="Refuse an entity without a key before you compute anything; look keys up in a mapping "
    "that inherits no names.",
    source="hermes-agent 6264 (a signature by an empty key); CWE-1188, CWE-1321",
)
def _unknown(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    for key in dict.fromkeys((*_UNSET, _UNKNOWN)):
        event = context.genuine().json | {"upstreamEntityId": _UNKNOWN}
        yield refused(context.sign(event).signed_with(key), f"unknown entity, key {key!r}")
    for entity in _ODD:
        for key in ("", "undefined", "None"):
            event = context.genuine().json | {"upstreamEntityId": entity}
            yield refused(context.sign(event).signed_with(key), f"entity {entity!r}, key {key!r}")
    event = context.genuine().json
    del event["upstreamEntityId"]
    for key in ("", "undefined", "None"):
        yield refused(context.sign(event).signed_with(key), f"no entity, key {key!r}")


@_attack(
    "WH-150",
    "unknown-key-name",
    quick=True,
    does="Names, in headers and in the query, a key or a tenant that the receiver does not know, "
    "and signs with an empty key and with what an unset key turns into.",
    wants="Refuse it (4xx), and do nothing; or ignore the names, and verify with its own key.",
    why="A key that is looked up by a name from the request, and not found, is known to everyone.",
    fix="Choose the key by the endpoint; refuse a name without a key before you compute anything.",
    source="hermes-agent 6264 (a signature by an empty key); CWE-1188; RFC 7515, 4.1.4 (kid)",
)
def _key_names(context: AttackContext) -> Iterator[AttackStep]:
    for name in ("turris-unknown", "", "__proto__", "constructor", "2"):
        lines = [(header, name) for header in _KEY_NAMES]
        for key in ("", "None", "undefined", "null", name):
            webhook = context.genuine().signed_with(key)
            label = f"X-Key-Id {name!r}, key {key!r}"
            yield refused(with_header_lines(webhook, *lines), label)
    if not context.is_function:
        said = "&".join(f"{name}=turris-unknown" for name in ("kid", "key", "keyId", "tenant"))
        there = Transmission(change_path=lambda path: f"{path}?{said}")
        for key in ("", "None", "undefined", "null"):
            webhook = context.genuine().signed_with(key)
            yield refused(webhook, f"?kid=turris-unknown, key {key!r}", transmission=there)


@_attack(
    "WH-151",
    "unknown-tenant-in-the-path",
    quick=True,
    does="Sends an event to the receiver's path with an unknown name for its last segment, "
    "unsigned and signed with an empty key.",
    wants="Do nothing, whatever the answer.",
    why="Where the path chooses the key, a tenant without one has a key that everyone knows.",
    fix="Answer 404 to a tenant that does not exist, before you compute anything.",
    source="as WH-150; CWE-639",
)
def _paths(context: AttackContext) -> Iterator[AttackStep]:
    if context.is_function:
        raise NotApplicableError("a function of body and headers sees no path")
    for name in ("turris-unknown", _UNKNOWN, "__proto__", "undefined"):
        there = Transmission(change_path=lambda path, name=name: _with_last(path, name))  # type: ignore[misc] # a default binds the name of this turn
        yield _unheeded(context.genuine().unsigned(), f"{name}, unsigned", there)
        for key in ("", "None", "undefined"):
            webhook = context.genuine().signed_with(key)
            yield _unheeded(webhook, f"{name}, key {key!r}", there)


def _with_last(path: str, name: str) -> str:
    return f"{path.rstrip('/').rpartition('/')[0]}/{quote(name)}"


def _unheeded(webhook: SignedWebhook, label: str, how: Transmission) -> AttackStep:
    """A forged webhook to another path, whose answer says nothing: a page may be there."""
    expected = ExpectedBehaviour(answers="any", effects="none")
    return AttackStep(webhook=webhook, expected=expected, transmission=how, label=label)


@_attack(
    "WH-152",
    "entity-look-alike",
    level="should",
    does="Sends genuine events whose upstreamEntityId is a longer text with the receiver's in it, "
    "or a list or an object that holds it.",
    wants="Accept or refuse it, and do nothing; no error.",
    why="A text that contains the right id is not that id: another tenant's events are taken.",
    fix="Compare the whole value: event['upstreamEntityId'] == yours.",
    source="CWE-187 (partial comparison), CWE-1024",
)
def _look_alikes(context: AttackContext) -> Iterator[AttackStep]:
    context.require_turris_event()
    compares: list[bool] = []

    def control(seen: StepOutcome) -> Iterable[Trouble]:
        compares.append(not seen.effects)
        return ()

    foreign = context.genuine(upstreamEntityId=_FOREIGN)
    yield tolerated(foreign, "another entity").examined(control)
    if compares != [True]:
        raise NotApplicableError("the receiver takes the events of every entity: see WH-74")
    own = context.genuine().json["upstreamEntityId"]
    alike = (f"{own}0", f"x{own}", f"{_FOREIGN},{own}", [own], [_FOREIGN, own], {own: _FOREIGN})
    for value in alike:
        event = context.genuine().json | {"upstreamEntityId": value}
        # Some parsers read a list of one text as that text; no sender writes one.
        is_text = isinstance(value, str)
        how: Judgement = {"level": "should"} if is_text else {"level": "info"}
        yield tolerated(context.sign(event), f"entity {value!r}", effects="none", **how)
