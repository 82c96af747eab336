"""WH-65 to WH-69: how much there is of a body, and where it ends."""

import gzip
from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.families.advice import CRASHED
from pytest_turris.attacks.sending.packed_spaces import packed_spaces
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

BODY_SIZES = Catalogue("body")
_attack = BODY_SIZES.attack

_OVERSIZE = 8 * 1024 * 1024
_HUGE = 64 * 1024 * 1024
_BLOCK = 64 * 1024


@_attack(
    "WH-65",
    "compressed-body",
    does="Compresses the body; signs it before, or after.",
    wants="Refuse it (4xx), or take it as documented; no error.",
    why="It must be clear which bytes are signed. " + CRASHED,
    fix="Answer 415 to any Content-Encoding.",
    source="GetStream signs the uncompressed bytes",
)
def _compressed(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    packed = gzip.compress(webhook.body)
    yield tolerated(_gzip(replace(webhook, body=packed)), "signed before")
    context.require_whole_body_signed()
    yield tolerated(_gzip(context.sign(packed)), "signed after")


@_attack(
    "WH-66",
    "decompression-bomb",
    does="Sends 64 MiB of spaces as 64 KiB of gzip, rightly signed.",
    wants="Refuse it (4xx), or store it unread; in hardly more time than other webhooks take.",
    why="A small request takes all the memory.",
    fix="Answer 415 to any Content-Encoding, or stop at a limit while inflating.",
    source="sashiko 310",
)
def _bomb(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    bomb = _gzip(context.sign(packed_spaces(_HUGE)["gzip"] + gzip.compress(context.genuine().body)))
    yield refused(bomb, may_store=True)


@_attack(
    "WH-67",
    "oversize-body",
    does="Sends 64 MiB with a wrong signature, with their length and in chunks; the end of them "
    "comes only if there is no answer before. In process, sends 8 MiB.",
    wants="Refuse it (4xx) at a limit: before all of it is there, or with 413 at the end. In "
    "process, any other answer to a forgery is not observed: the limit may be that of the server.",
    why="Anyone can fill the memory: nothing stops a body, and the signature is known to be wrong "
    "only at its end.",
    fix="Stop reading at a limit, and answer 413 then.",
    source="RFC 9110, 15.5.14 (413); CVE-2026-42294 (Argo Workflows), CVE-2024-40634 (Argo CD); "
    "measured: express.raw() throws away what is over its limit, and answers 413 at the end",
)
def _oversize(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.wrongly_signed(context.genuine())

    def announced(host: str, path: str) -> RawPost:
        made = raw_post(webhook, host, path, length=_HUGE)
        padding = _HUGE - len(webhook.body) - 1
        return replace(made, pieces=(webhook.body, b" " * padding), rest=b" ")

    def chunked(host: str, path: str) -> RawPost:
        made = raw_chunks(webhook, host, path, b" " * _BLOCK)
        return replace(made, pieces=made.pieces * (_HUGE // _BLOCK), rest=b"0\r\n\r\n")

    padded = replace(webhook, body=webhook.body + b" " * _OVERSIZE)
    known = Transmission(raw=announced, never_ends=True)
    yield refused(padded, "with its length", may_hang_up=True, transmission=known)
    unknown = Transmission(raw=chunked, never_ends=True, socket_only=True)
    yield refused(padded, "in chunks", may_hang_up=True, transmission=unknown)


@_attack(
    "WH-68",
    "slow-body",
    delivery="socket",
    does="Sends the head, one byte of the body, and nothing more.",
    wants="Serve others meanwhile.",
    why="A handful of such connections stop the receiver.",
    fix="Serve with more than one worker, and limit the time to read.",
    source="remoteclaw 2955",
)
def _slow(context: AttackContext) -> Iterator[AttackStep]:
    slow = context.genuine()

    def raw(host: str, path: str) -> RawPost:
        made = raw_post(slow, host, path)
        return replace(made, pieces=(slow.body[:1],))

    yield accepted(context.genuine(), transmission=Transmission(alongside=raw))


@_attack(
    "WH-69",
    "two-lengths",
    level="info",
    about="server",
    delivery="socket",
    does="Sends Transfer-Encoding together with Content-Length, and leaves the connection open for "
    "another request; or sends two Content-Length that differ.",
    wants="Close the connection after the first, whatever the answer; refuse the second (4xx).",
    why="A proxy and the receiver disagree on where the request ends: one smuggles a second.",
    fix="Serve with a server that closes or refuses, or put a proxy in front that does.",
    source="RFC 9112, 6.1: a server may refuse both, or go by Transfer-Encoding alone, and must "
    "close the connection then; 6.3: it must answer 400 to lengths that differ",
)
def _lengths(context: AttackContext) -> Iterator[AttackStep]:
    webhook, second = context.genuine(), context.genuine()

    def both(host: str, path: str) -> RawPost:
        made = raw_post(webhook, host, path, b"Transfer-Encoding: chunked")
        following = raw_post(second, host, path)
        size = b"%x" % len(webhook.body)
        return replace(
            made,
            lines=tuple(line for line in made.lines if not line.startswith(b"Connection:")),
            pieces=(size + b"\r\n" + webhook.body + b"\r\n0\r\n\r\n",),
            next_request=following.head + second.body,
        )

    def twice(host: str, path: str) -> RawPost:
        return raw_post(webhook, host, path, b"Content-Length: 3")

    expected = ExpectedBehaviour(answers="any", effects="any", may_hang_up=True)
    kept = Transmission(raw=both)
    yield AttackStep(webhook=webhook, expected=expected, transmission=kept, label="TE and CL")
    yield refused(webhook, "two CL", may_hang_up=True, transmission=Transmission(raw=twice))


def _gzip(webhook: SignedWebhook) -> SignedWebhook:
    return with_header_lines(webhook, ("Content-Encoding", "gzip"))
