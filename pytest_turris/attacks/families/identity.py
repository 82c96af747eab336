"""WH-153 to WH-154: what makes two webhooks one, and what makes them two."""

import base64
from collections.abc import Iterable, Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.step import AttackStep, StepOutcome, Trouble, accepted, tolerated
from pytest_turris.findings.errors import NotApplicableError

IDENTITY = Catalogue("replay")
_attack = IDENTITY.attack

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@_attack(
    "WH-153",
    "replay-with-a-respelled-signature",
    does="Sends a genuine event, then the same bytes with other spellings of the same signature: "
    "capitals, spaces around it, base64 with and without padding.",
    wants="Accept or refuse it, and act no more.",
    why="One signature has many spellings: a memory of one does not know the others.",
    fix="Remember the digest of the body, in the transaction that does the work.",
    source="RFC 4648, 3.5 and 8; CWE-294; signature malleability (CWE-347)",
)
def _respelled(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield accepted(webhook, "first")
    for label, signature in _spellings(context, context.signature(webhook)):
        again = context.with_signature(webhook, signature)
        yield tolerated(again, label, effects="none")


def _spellings(context: AttackContext, signature: str) -> Iterator[tuple[str, str]]:
    """Other texts that lenient decoders read as the same bytes."""
    yield "a space after it", f"{signature} "
    if context.is_hex:
        yield "capitals", signature.upper()
        yield "capitals in part", signature[:7].upper() + signature[7:]
        yield "0x before it", f"0x{signature}"
    else:
        bare = signature.rstrip("=")
        urlsafe = base64.urlsafe_b64encode(base64.b64decode(signature)).decode()
        yield "without padding", bare
        yield "more padding", f"{signature}=="
        yield "of URLs", urlsafe
        # The last character has bits that decoders ignore.
        last = _BASE64[_BASE64.index(bare[-1]) ^ 1]
        yield "another last character", f"{bare[:-1]}{last}{signature[len(bare) :]}"


@_attack(
    "WH-154",
    "differs-in-little",
    does="Sends genuine events that differ in the case of letters, in one nested value, in their "
    "last bytes, or in the order of a list.",
    wants="Accept and act on each.",
    why="Folding, cutting or sorting before comparing makes a duplicate of another event.",
    fix="Key on a digest of the whole body, as it came.",
    source="over-eager deduplication; RFC 8259, 8.3: strings are equal if all characters are",
)
def _little(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    event = context.genuine().json
    yield accepted(context.sign(event | {"note": "one"}), "one", effects="any")
    other = accepted(context.sign(event | {"note": "two"}), "two", effects="any")
    yield other.examined(_acts_on_both)
    tail = "x" * 4_096
    for label, note in (
        ("a text", "West"),
        ("in capitals", "WEST"),
        ("a nested value", {"a": {"b": 1}}),
        ("another nested value", {"a": {"b": 2}}),
        ("a long text", f"{tail}1"),
        ("another end", f"{tail}2"),
        ("a list", [1, 2]),
        ("in another order", [2, 1]),
    ):
        yield accepted(context.sign(event | {"note": note}), label)


def _acts_on_both(seen: StepOutcome) -> Iterable[Trouble]:
    if seen.effects == 0:
        raise NotApplicableError("the receiver takes all such events for one: see WH-92")
    return ()
