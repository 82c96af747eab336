"""WH-127: the key of an entity that the receiver does not know."""

from collections.abc import Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.step import AttackStep, refused

TENANTS = Catalogue("keys")
_attack = TENANTS.attack

_UNKNOWN = "507f1f77bcf86cd799439fff"
_UNSET = ("", " ", "None", "null", "undefined", "nil", "false", "0", "[object Object]", "NaN")
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
