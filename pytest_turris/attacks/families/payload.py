"""WH-70 to WH-79: payload values that an attacker entered in Turris, signed correctly."""

import json
from collections.abc import Iterator
from typing import Any

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import FORGED_LINE, AttackContext
from pytest_turris.attacks.families.advice import ACTING_IS_NOTED
from pytest_turris.attacks.families.variants import crash_level
from pytest_turris.attacks.judging.trap import the_trap, unvisited
from pytest_turris.attacks.step import AttackStep, Effects, accepted, refused, tolerated
from pytest_turris.webhooks.signature import compact_json

PAYLOAD = Catalogue("payload")
_attack = PAYLOAD.attack

_STORED = "Refuse it (4xx), or accept it and do nothing; no error." + ACTING_IS_NOTED
_CRASHED = "The signature is right, so the webhook is sent again and again, and fails again."
_VALIDATE = "Validate the shape after the signature, and answer 400."
_DEPTH = 100_000


@_attack(
    "WH-70",
    "duplicate-keys",
    level="should",
    does="Names webhookType twice, with different values.",
    wants="Refuse it (4xx), or do nothing.",
    why="Two parsers read two events; what one checks is not what the other uses.",
    fix="json.loads(..., object_pairs_hook=...) that refuses a repeated name.",
    source="RFC 8259, 4; survey of 49 parsers by Bishop Fox",
)
def _duplicates(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    body = context.genuine().body
    yield refused(context.sign(b'{"webhookType":"TURRIS_UNKNOWN",' + body[1:]), may_store=True)


@_attack(
    "WH-71",
    "unknown-type",
    quick=True,
    does="Sends an event of a type that does not exist yet.",
    wants="Accept it (2xx) and do nothing." + ACTING_IS_NOTED,
    why="New types come over time; a refusal is sent again, and may disable the webhook.",
    fix="Answer 204 to a type that you do not know, and do nothing: check webhookType first.",
    source="GitHub's best practices",
)
def _unknown(context: AttackContext) -> Iterator[AttackStep]:
    event = context.genuine().json | {"webhookType": "E_AND_O_POLICY_RENEWED"}
    yield accepted(context.sign(event), effects="none", effects_level="info")


@_attack(
    "WH-72",
    "wrong-shapes",
    quick=True,
    does="Sends null, a list, a text or a number where the payload, or all, is an object.",
    wants=_STORED,
    why=_CRASHED,
    fix=_VALIDATE,
    source="CVE-2025-59538 (Argo CD)",
)
def _shapes(context: AttackContext) -> Iterator[AttackStep]:
    event = context.genuine().json
    for payload in (None, [None], "x", 7, True) if context.payload is None else ():
        made = context.sign(event | {"payload": payload})
        label = f"payload {payload!r}"
        yield tolerated(
            made,
            label,
            effects="none",
            effects_level="info",
            crash_level=crash_level(payload),
        )
    context.require_whole_body_signed()
    # What another sender's receiver does with any JSON that is signed is its own business.
    effects: Effects = "none" if context.payload is None else "any"
    for body in (b"[]", b"null", b'"x"', b"7", b"{}"):
        signed, text = context.sign(body), body.decode()
        yield tolerated(
            signed,
            text,
            effects=effects,
            effects_level="info",
            crash_level=crash_level(json.loads(body)),
        )


@_attack(
    "WH-73",
    "empty-collections",
    does="Empties every array and every object of the payload.",
    wants="Accept or refuse it, and do nothing; no error." + ACTING_IS_NOTED,
    why=_CRASHED,
    fix="Look before you take the first of a list.",
    source="CVE-2025-59538 (Argo CD)",
)
def _empty(context: AttackContext) -> Iterator[AttackStep]:
    event = context.genuine().json
    empty: tuple[Any, ...] = ([], {}, [{}])
    for payload in empty:
        made = context.sign(event | {"payload": payload})
        yield tolerated(made, json.dumps(payload), effects="none", effects_level="info")


@_attack(
    "WH-74",
    "foreign-entity",
    does="Sends a genuine event of another upstream entity.",
    wants="Do nothing.",
    why="With one key for several tenants, one tenant's events change another's data.",
    fix="Compare upstreamEntityId with your own.",
    source="security review",
)
def _foreign(context: AttackContext) -> Iterator[AttackStep]:
    foreign = context.genuine(upstreamEntityId="507f1f77bcf86cd799439aaa")
    yield tolerated(foreign, effects="none")


@_attack(
    "WH-75",
    "deep-nesting",
    does="Nests 100,000 arrays: rightly signed, and with a wrong signature.",
    wants=_STORED,
    why="The parser's RecursionError becomes a 500: for a stranger, if it parses before it "
    "verifies; else only for the owner of the key.",
    fix="Catch RecursionError as well as ValueError.",
    source="measured: json.loads",
)
def _deep(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    deep = context.sign(b"[" * _DEPTH + b"]" * _DEPTH)
    yield tolerated(deep, "signed", effects="none", effects_level="info", crash_level="should")
    yield refused(context.wrongly_signed(deep), "wrongly signed")


@_attack(
    "WH-76",
    "extreme-numbers",
    does="Sends a number of 5,000 digits, 1e400, NaN, -0 and 2^53+1.",
    wants="Accept or refuse it; no error.",
    why=_CRASHED,
    fix="Catch ValueError, and refuse NaN with parse_constant.",
    source="CVE-2020-10735; measured: json.loads",
)
def _numbers(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    for text in ("9" * 5_000, "1e400", "NaN", "-0", "9007199254740993"):
        extra = f',"number":{text}}}'.encode()
        yield tolerated(context.sign(context.genuine().body[:-1] + extra), text[:20])


@_attack(
    "WH-77",
    "hostile-strings",
    does="Puts markup, quotes, paths, control characters and half a character into names.",
    wants="Accept or refuse it; no error, and no log line of the sender's making.",
    why="Stored or logged as they are, they do harm where they are shown.",
    fix="Escape where you write; log with repr.",
    source="OWASP webhook cheat sheet; CWE-117",
)
def _strings(context: AttackContext) -> Iterator[AttackStep]:
    for label, text in (
        ("line break", f"West\r\n{FORGED_LINE}"),
        ("NUL", "West\0East"),
        ("right to left", "West\u202etseW"),
        ("templates", "${jndi:ldap://x} {{7*7}} %s %n"),
        ("markup", "<script>alert(1)</script>"),
        ("quotes", "'; DROP TABLE agents; --"),
        ("path", "../../etc/passwd"),
        ("surrogate", "\\ud800"),
    ):
        body = _with_texts(context.genuine().json, text)
        # A lone surrogate is not valid UTF-8; only its escape can be sent.
        sent = compact_json(body).replace(b"\\\\ud800", b"\\ud800")
        # Whether a sender writes half a character is open: RFC 8259, 8.2 calls it unpredictable.
        odd = label == "surrogate"
        yield tolerated(context.sign(sent), label, crash_level="should" if odd else "must")


@_attack(
    "WH-78",
    "prototype-keys",
    does="Adds members named __proto__, constructor and __class__.",
    wants="Accept or refuse it; no error.",
    why="A name that the language knows changes every object, or fails the receiver.",
    fix="Read the members you know; merge nothing.",
    source="prototype pollution; Fastify's parser refuses such members by default",
)
def _prototype(context: AttackContext) -> Iterator[AttackStep]:
    hostile = {"__proto__": {"admin": True}, "constructor": {"prototype": {}}, "__class__": "x"}
    event = context.genuine().json
    yield tolerated(context.sign(event | hostile), "envelope")
    inside = event | {"payload": _with_members(event["payload"], hostile)}
    yield tolerated(context.sign(inside), "payload")


@_attack(
    "WH-79",
    "url-in-payload",
    comes_late=True,
    does="Puts a URL on this machine into every name.",
    wants="Accept or refuse it, and make no request.",
    why="A receiver that follows URLs reaches what the sender cannot: metadata services, admin "
    "ports.",
    fix="Never fetch a URL from a webhook.",
    source="OWASP API7:2023",
)
def _url(context: AttackContext) -> Iterator[AttackStep]:
    with the_trap().watch("WH-79") as watch:
        body = _with_texts(context.genuine().json, watch.url("name"))
        yield tolerated(context.sign(body)).examined(lambda _: unvisited(watch))


def _with_texts(event: dict[str, Any], text: str) -> dict[str, Any]:
    """Names replaced; ids, codes and statuses stay, so that the receiver goes on."""
    names = {"branchName", "legalName", "contractContainerTemplateName", "productName"}

    def replaced(node: Any) -> Any:  # noqa: ANN401 - as deep as JSON
        if isinstance(node, dict):
            return {
                name: text if name in names else replaced(value) for name, value in node.items()
            }
        return [replaced(value) for value in node] if isinstance(node, list) else node

    changed: dict[str, Any] = replaced(event)
    return changed | {"note": text}


def _with_members(payload: Any, members: dict[str, Any]) -> Any:  # noqa: ANN401 - array or object
    if isinstance(payload, list):
        return [entry | members for entry in payload]
    return payload | members
