"""WH-50 to WH-59: the bytes of the body, changed, rewritten, cut or encoded otherwise."""

import json
from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.families.advice import ACTING_IS_NOTED, CRASHED, LOGS_FILL
from pytest_turris.attacks.sending.raw_requests import raw_chunks, raw_post
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    Transmission,
    accepted,
    refused,
    tolerated,
)
from pytest_turris.receivers.raw_socket import RawPost
from pytest_turris.webhooks.signed import SignedWebhook

BODY = Catalogue("body")
_attack = BODY.attack

PROBE = (
    '"z": 1.0, "a": [1e2, -0, -0.0, 9007199254740993], "esc": "\\u001B a\\/b \\u00e9 é", '
    '"emoji":"\U0001f600 \\ud83d\\ude00", "k\\u0065y" : [ ]'
)
"""What no JSON writer repeats: escapes, spaces, numbers, order of the keys."""

_REWRITTEN = "The receiver verifies something else than the bytes that it then uses."
_PATH = "An attacker on the network path can make the receiver believe what Turris did not say."
_RAW = "Verify the raw bytes of the body before anything parses them."


@_attack(
    "WH-50",
    "one-value-changed",
    quick=True,
    does="Changes one value of the payload and keeps the signature.",
    wants="Refuse it (4xx). It should not parse the body before.",
    why=_PATH,
    fix=_RAW,
    source="every suite",
)
def _changed(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield refused(webhook.tampered(), same_as_wrong_signature=True)
    no_json = replace(context.wrongly_signed(webhook), body=b"{no json")
    parsed = "Parsing before verifying gives strangers a parser to play with, and shows them that."
    yield refused(no_json, "no JSON", same_as_wrong_signature=True, why=f"{_PATH} {parsed}")


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
    why="A body that was parsed and written again is verified: one webhook has many spellings "
    "then, "
    "which a list of seen ones does not know, so a replay is no longer one. " + _REWRITTEN,
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
    wants="Refuse it (4xx), or accept it and do nothing; no error." + ACTING_IS_NOTED,
    why=CRASHED,
    fix="Treat it as invalid JSON.",
    source="standard-webhooks, JavaScript",
)
def _empty(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    yield tolerated(context.sign(b""), effects="none", effects_level="info")


@_attack(
    "WH-56",
    "truncated-body",
    about="server",
    level="info",
    delivery="socket",
    does="Announces more than it sends, and closes.",
    wants="Close the connection or refuse it (4xx), and do nothing.",
    why="A sender that hung up gets no answer, whatever it is; the bytes that are there are those "
    "that were signed. It shows which servers call an application with half a body.",
    fix="Read as many bytes as announced, or give up.",
    source="RFC 9112, 8: a server that gets less than was announced answers with an error",
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
    does="Sends the body in two pieces, cut inside a character of two bytes: with its length, and "
    "over a socket in two chunks of unknown length as well.",
    wants="Accept both (2xx); 411 to the chunks is fine.",
    why="Genuine webhooks are lost when the network cuts them in an unlucky place.",
    fix="Collect bytes, not texts.",
    source="octokit: get-payload; RFC 9112, 7.1; RFC 9110, 15.5.12 (411)",
)
def _split(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    webhook, at = _with_wide_character(context)

    def in_segments(host: str, path: str) -> RawPost:
        return replace(raw_post(webhook, host, path), pieces=(webhook.body[:at], webhook.body[at:]))

    yield accepted(webhook, "length", transmission=Transmission(raw=in_segments, split_at=at))
    other, cut = _with_wide_character(context)

    def in_chunks(host: str, path: str) -> RawPost:
        return raw_chunks(other, host, path, other.body[:cut], other.body[cut:], b"")

    yield AttackStep(
        webhook=other,
        expected=ExpectedBehaviour(answers="accept", effects="any", refusals=(411,)),
        transmission=Transmission(raw=in_chunks, socket_only=True),
        label="chunks",
        level="should",
        crash_level="should",
        why="Chunked bodies are not supported. Turris is not known to send any, but a proxy may: "
        "such webhooks would be lost, or verified as if they were empty.",
        fix="Serve with a server that passes chunked bodies on, or answers 411 to them.",
    )


def _with_wide_character(context: AttackContext) -> tuple[SignedWebhook, int]:
    """A genuine webhook, and the middle of a character in it that takes two bytes."""
    text = json.dumps(context.genuine().json | {"note": "é"}, ensure_ascii=False)
    webhook = context.sign(text.encode())
    return webhook, webhook.body.index("é".encode()) + 1


@_attack(
    "WH-58",
    "not-utf-8",
    level="should",
    quick=True,
    does="Sends a body with the byte 0xFF in a text: rightly signed, and with a wrong signature.",
    wants="Refuse both (4xx), without an error.",
    why="Decoded leniently, another text is used than was verified. It takes the key "
    "to sign such a body.",
    fix="Decode strictly, after the verification, and answer 400.",
    source="RFC 8259, 8.1 and 9: JSON is UTF-8, though a parser may accept other forms; measured: "
    "stripe and standardwebhooks raise UnicodeDecodeError",
)
def _not_utf8(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    signed = context.sign(context.genuine().body[:-1] + b',"note":"\xff"}')
    yield refused(signed, "signed", may_store=True, crash_level="should")
    forged = context.wrongly_signed(signed)
    yield refused(forged, "wrongly signed", level="must", why=LOGS_FILL)


@_attack(
    "WH-59",
    "byte-order-mark-or-utf-16",
    level="should",
    does="Signs a body with a byte order mark, in UTF-16 or in UTF-32.",
    wants="Refuse UTF-16 and UTF-32 (4xx); accept or refuse the byte order mark.",
    why="One part of the receiver reads another text than the next. It takes the key "
    "to sign such a body.",
    fix="body.decode() before json.loads, which guesses the encoding of bytes.",
    source="RFC 8259, 8.1: JSON is UTF-8, and a parser may ignore a byte order mark; measured: "
    "json.loads takes all of them",
)
def _encodings(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    text = context.genuine().body.decode()
    yield tolerated(context.sign(text.encode("utf-8-sig")), "utf-8-sig")
    for encoding in ("utf-16", "utf-32"):
        text = context.genuine().body.decode()
        signed = context.sign(text.encode(encoding))
        yield refused(signed, encoding, may_store=True, crash_level="should")
