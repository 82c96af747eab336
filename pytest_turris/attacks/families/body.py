"""WH-50 to WH-59: the bytes of the body, changed, rewritten, cut or encoded otherwise."""

import json
from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.families.advice import CRASHED
from pytest_turris.attacks.raw_requests import raw_chunks, raw_post
from pytest_turris.attacks.step import AttackStep, Transmission, accepted, refused
from pytest_turris.receivers.raw_socket import RawPost

BODY = Catalogue("body")
_attack = BODY.attack

PROBE = (
    '"z": 1.0, "a": [1e2, -0, -0.0, 9007199254740993], "esc": "\\u001B a\\/b \\u00e9 é", '
    '"emoji":"\U0001f600 \\ud83d\\ude00", "k\\u0065y" : [ ]'
)
"""What no JSON writer repeats: escapes, spaces, numbers, order of the keys."""

_REWRITTEN = "The receiver verifies something else than the bytes that it then uses."
_RAW = "Verify the raw bytes of the body before anything parses them."


@_attack(
    "WH-50",
    "one-value-changed",
    quick=True,
    does="Changes one value of the payload and keeps the signature.",
    wants="Refuse it (4xx), and not parse it before.",
    why="An attacker on the network path can make the receiver believe what Turris did not say.",
    fix=_RAW,
    source="every suite",
)
def _changed(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield refused(webhook.tampered(), same_as_wrong_signature=True)
    no_json = replace(context.wrongly_signed(webhook), body=b"{no json")
    yield refused(no_json, "no JSON", same_as_wrong_signature=True)


@_attack(
    "WH-51",
    "envelope-swap",
    quick=True,
    does="Changes webhookType or upstreamEntityId, keeps payload and signature.",
    wants="Refuse it (4xx).",
    why="A payload is turned into another event, or another customer's.",
    fix=_RAW,
    source="the guide leaves open what 'payload' is",
)
def _envelope(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    yield refused(context.genuine().tampered(webhookType="ENTITY_COMPLIANCE"), "webhookType")
    entity = "507f1f77bcf86cd799439aaa"
    yield refused(context.genuine().tampered(upstreamEntityId=entity), "upstreamEntityId")


@_attack(
    "WH-52",
    "added-member",
    does="Adds a member to the envelope and keeps the signature.",
    wants="Refuse it (4xx).",
    why=_REWRITTEN,
    fix=_RAW,
    source="as WH-51",
)
def _added(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    webhook = context.genuine()
    yield refused(replace(webhook, body=webhook.body[:-1] + b',"added":true}'))


@_attack(
    "WH-53",
    "same-json-other-bytes",
    quick=True,
    does="Adds spaces or a newline, or sorts the keys, and keeps the signature.",
    wants="Refuse it (4xx).",
    why="It shows that the body is parsed and written again before it is verified. " + _REWRITTEN,
    fix=_RAW,
    source="Standard Webhooks; octokit 71, 589",
)
def _rewritten(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    webhook = context.genuine()
    yield refused(replace(webhook, body=webhook.body + b"\n"), "newline")
    yield refused(replace(webhook, body=json.dumps(webhook.json).encode()), "spaces")
    ordered = json.dumps(webhook.json, sort_keys=True, separators=(",", ":")).encode()
    yield refused(replace(webhook, body=ordered), "sorted")


@_attack(
    "WH-54",
    "probe-body",
    quick=True,
    does="Signs a body that no JSON writer would repeat byte for byte.",
    wants="Accept it (2xx).",
    why="A receiver that verifies what it wrote itself loses genuine webhooks.",
    fix=_RAW,
    source="octokit 71, 1155",
)
def _probe(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    text = json.dumps(context.genuine().json, indent=1, ensure_ascii=False)
    yield accepted(context.sign((text[:-1] + f", {PROBE}}}\n").encode()))


@_attack(
    "WH-55",
    "empty-body",
    quick=True,
    does="Signs an empty body.",
    wants="Refuse it (4xx), without an error.",
    why=CRASHED,
    fix="Treat it as invalid JSON.",
    source="standard-webhooks, JavaScript",
)
def _empty(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    yield refused(context.sign(b""))


@_attack(
    "WH-56",
    "truncated-body",
    delivery="socket",
    does="Announces more than it sends, and closes.",
    wants="Close the connection or refuse it (4xx), and do nothing.",
    why="Half a body is not what was signed.",
    fix="Read as many bytes as announced, or give up.",
    source="RFC 9112, 8",
)
def _truncated(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()

    def raw(host: str, path: str) -> RawPost:
        made = raw_post(webhook, host, path, length=len(webhook.body) + 10)
        return replace(made, finished=True)

    yield refused(webhook, may_hang_up=True, transmission=Transmission(raw=raw))


@_attack(
    "WH-57",
    "split-inside-a-character",
    does="Sends the body in two chunks, cut inside a character of two bytes.",
    wants="Accept it (2xx).",
    why="Genuine webhooks are lost when the network cuts them in an unlucky place.",
    fix="Collect bytes, not texts.",
    source="octokit: get-payload",
)
def _split(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    text = json.dumps(context.genuine().json | {"note": "é"}, ensure_ascii=False)
    webhook = context.sign(text.encode())
    at = webhook.body.index("é".encode()) + 1

    def raw(host: str, path: str) -> RawPost:
        return raw_chunks(webhook, host, path, webhook.body[:at], webhook.body[at:], b"")

    yield accepted(webhook, transmission=Transmission(raw=raw, split_at=at))


@_attack(
    "WH-58",
    "not-utf-8",
    quick=True,
    does="Signs a body with the byte 0xFF in a text.",
    wants="Refuse it (4xx), without an error.",
    why="Decoded leniently, another text is used than was verified. " + CRASHED,
    fix="Decode strictly and answer 400.",
    source="measured: stripe and standardwebhooks raise UnicodeDecodeError",
)
def _not_utf8(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    yield refused(context.sign(context.genuine().body[:-1] + b',"note":"\xff"}'))


@_attack(
    "WH-59",
    "byte-order-mark-or-utf-16",
    does="Signs a body with a byte order mark, in UTF-16 or in UTF-32.",
    wants="Refuse it (4xx).",
    why="One part of the receiver reads another text than the next.",
    fix="body.decode() before json.loads, which guesses the encoding of bytes.",
    source="RFC 8259, 8.1; measured: json.loads takes all of them",
)
def _encodings(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        text = context.genuine().body.decode()
        yield refused(context.sign(text.encode(encoding)), encoding)
