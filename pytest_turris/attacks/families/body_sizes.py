"""WH-65 to WH-69: how much there is of a body, and where it ends."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.families.advice import CRASHED
from pytest_turris.attacks.raw_requests import raw_chunks, raw_post
from pytest_turris.attacks.step import AttackStep, Transmission, accepted, refused, tolerated
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
    wants="Refuse it (4xx), in less than two seconds.",
    why="A small request takes all the memory.",
    fix="Answer 415 to any Content-Encoding, or stop at a limit while inflating.",
    source="sashiko 310",
)
def _bomb(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    yield refused(_gzip(context.sign(_packed_spaces() + gzip.compress(context.genuine().body))))


@_attack(
    "WH-67",
    "oversize-body",
    does="Sends 8 MiB with a wrong signature. Over a socket the last byte of them never comes, nor "
    "does the end of 64 MiB in chunks.",
    wants="Refuse it (4xx), over a socket before all of it is there, in less than two seconds.",
    why="Anyone can fill the memory: the signature is known to be wrong only at the end.",
    fix="Stop reading at a limit, and answer 413 then.",
    source="CVE-2026-42294 (Argo Workflows), CVE-2024-40634 (Argo CD); measured: express.raw() "
    "with a limit reads to the end before it answers",
)
def _oversize(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.wrongly_signed(context.genuine())

    def announced(host: str, path: str) -> RawPost:
        made = raw_post(webhook, host, path, length=_OVERSIZE)
        padding = _OVERSIZE - len(webhook.body) - 1
        return replace(made, pieces=(webhook.body, b" " * padding))

    def chunked(host: str, path: str) -> RawPost:
        made = raw_chunks(webhook, host, path, b" " * _BLOCK)
        return replace(made, pieces=made.pieces * (_HUGE // _BLOCK))

    padded = replace(webhook, body=webhook.body + b" " * _OVERSIZE)
    for label, endless in (
        ("8 MiB", Transmission(raw=announced, never_ends=True)),
        ("64 MiB in chunks", Transmission(raw=chunked, never_ends=True, socket_only=True)),
    ):
        yield refused(padded, label, may_hang_up=True, transmission=endless)


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
    delivery="socket",
    does="Sends Transfer-Encoding together with Content-Length, or two Content-Length.",
    wants="Refuse it (4xx).",
    why="A proxy and the receiver disagree on where the request ends: one smuggles a second.",
    fix="Serve with a server that refuses it, or refuse it in the application.",
    source="RFC 9112, 6.3",
)
def _lengths(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()

    def both(host: str, path: str) -> RawPost:
        made = raw_post(webhook, host, path, b"Transfer-Encoding: chunked")
        size = b"%x" % len(webhook.body)
        return replace(made, pieces=(size + b"\r\n" + webhook.body + b"\r\n0\r\n\r\n",))

    def twice(host: str, path: str) -> RawPost:
        return raw_post(webhook, host, path, b"Content-Length: 3")

    for label, raw in (("TE and CL", both), ("two CL", twice)):
        yield refused(webhook, label, may_hang_up=True, transmission=Transmission(raw=raw))


def _gzip(webhook: SignedWebhook) -> SignedWebhook:
    return with_header_lines(webhook, ("Content-Encoding", "gzip"))


@cache
def _packed_spaces() -> bytes:
    """The bomb, which takes a third of a second to make; gzip files are read one after another."""
    return gzip.compress(b" " * _HUGE, compresslevel=1)
