"""WH-156 to WH-157: what anyone can make a receiver wait for."""

from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.sending.raw_requests import raw_post
from pytest_turris.attacks.step import AttackStep, Transmission, accepted, refused
from pytest_turris.receivers.raw_socket import RawPost

HELD_UP = Catalogue("body")
_attack = HELD_UP.attack

_FORGED = 5
_LENGTHS = ("-1", "-99", "+5", "0x10", "1e3", "five")


@_attack(
    "WH-156",
    "genuine-among-forged",
    delivery="socket",
    does=f"Sends {_FORGED} wrongly signed events on connections of their own, and a genuine one at "
    "the same time.",
    wants="Accept the genuine one as soon as otherwise.",
    why="A receiver that sleeps, or computes for long, after a wrong signature can be switched off "
    "by anyone who sends them.",
    fix="Refuse at once; leave slowing down to a proxy, which does it for each address.",
    source="CWE-400; asyncio: time.sleep stops every other request",
)
def _among(context: AttackContext) -> Iterator[AttackStep]:
    forged = tuple(context.wrongly_signed(context.genuine()) for _ in range(_FORGED))
    genuine = tuple(context.genuine() for _ in range(_FORGED))
    yield accepted(context.genuine(), "alone")
    how = Transmission(among=forged, among_genuine=genuine)
    yield accepted(context.genuine(), "among forged ones", transmission=how)


@_attack(
    "WH-157",
    "odd-length",
    level="should",
    delivery="socket",
    does="Sends, unsigned, a Content-Length that is negative or no decimal number.",
    wants="Refuse it (4xx or 501), or close the connection.",
    why="read(-1) reads until the sender closes: each such connection holds a worker for as long "
    "as it likes.",
    fix="Take a length of decimal digits alone, and no larger than your limit.",
    source="RFC 9110, 8.6: decimal digits; RFC 9112, 6.3: an invalid one is an error",
)
def _odd(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine().unsigned()
    for length in _LENGTHS:

        def raw(host: str, path: str, length: str = length) -> RawPost:
            made = raw_post(webhook, host, path)
            kept = [line for line in made.lines if not line.startswith(b"Content-Length")]
            lines = (*kept, f"Content-Length: {length}".encode())
            return replace(made, lines=lines, pieces=(webhook.body,))

        how = Transmission(raw=raw)
        yield refused(webhook, length, may_hang_up=True, transmission=how, crash_level="should")
