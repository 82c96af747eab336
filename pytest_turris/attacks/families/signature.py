"""WH-01 to WH-14: the signature missing, cut, lengthened or misspelt."""

from collections.abc import Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_changed_character
from pytest_turris.attacks.families.advice import CANONICAL, FORGED, LENIENT, LOGS_FILL
from pytest_turris.attacks.step import AttackStep, accepted, refused

SIGNATURE = Catalogue("signature")
_attack = SIGNATURE.attack

_LIBRARIES = "suites of standard-webhooks, svix, stripe and octokit"


@_attack(
    "WH-01",
    "valid-baseline",
    quick=True,
    does="Sends a genuine webhook.",
    wants="Accept it (2xx) and act on it.",
    why="A receiver that refuses everything would pass every other attack.",
    fix="Verify the raw bytes of the body with the key and the scheme that the sender uses. If it "
    "acts on some events only, name them: run(..., events={...}).",
    source="control",
)
def _valid(context: AttackContext) -> Iterator[AttackStep]:
    yield accepted(context.genuine())


@_attack(
    "WH-02",
    "missing-header",
    quick=True,
    does="Leaves the signature header out.",
    wants="Refuse it (4xx).",
    why="A receiver that verifies only signed requests believes anything unsigned.",
    fix="Treat a missing header as a wrong signature.",
    source=f"{_LIBRARIES}; CVE-2026-21894 (n8n)",
)
def _missing(context: AttackContext) -> Iterator[AttackStep]:
    yield refused(context.genuine().unsigned(), same_as_wrong_signature=True)


@_attack(
    "WH-03",
    "empty-header",
    quick=True,
    does="Sends the signature header without a value.",
    wants="Refuse it (4xx).",
    why="`if signature and ...` takes an empty value for nothing to check.",
    fix="Compare whatever is there; an empty text equals no signature.",
    source="octokit webhooks-methods",
)
def _empty(context: AttackContext) -> Iterator[AttackStep]:
    yield refused(context.with_header_value(context.genuine(), ""), same_as_wrong_signature=True)


@_attack(
    "WH-04",
    "whitespace-only",
    does="Sends a signature header of spaces and tabs.",
    wants="Refuse it (4xx).",
    why="Stripped, it is an empty value, which some receivers take for nothing to check.",
    fix="As for WH-03.",
    source="as WH-03",
)
def _blank(context: AttackContext) -> Iterator[AttackStep]:
    for value in ("   ", "\t"):
        yield refused(context.with_header_value(context.genuine(), value), repr(value))


@_attack(
    "WH-05",
    "wrong-same-length",
    quick=True,
    does="Changes the first, a middle or the last character of the right signature.",
    wants="Refuse it (4xx), in constant time.",
    why=FORGED,
    fix="Compare the whole text with hmac.compare_digest, as bytes.",
    source=_LIBRARIES,
)
def _wrong(context: AttackContext) -> Iterator[AttackStep]:
    # The last digit of base64 stands for four bits, and lenient decoders read no more of it.
    for label, at in (("first", 0), ("middle", 30), ("last", -1 if context.is_hex else -3)):
        webhook = context.genuine()
        text = context.signature(webhook)
        wrong = context.with_signature(webhook, with_changed_character(text, at % len(text)))
        yield refused(wrong, label, watch_comparison=True)


@_attack(
    "WH-06",
    "prefix-truncation",
    quick=True,
    does="Sends only the first 1, 10, or all but one, characters of the right signature.",
    wants="Refuse it (4xx).",
    why="A comparison over the shorter length lets one guessed character in sixteen pass.",
    fix="Compare the lengths too: hmac.compare_digest does.",
    source="CVE-2024-21491, RUSTSEC-2024-0010 (svix)",
)
def _truncated(context: AttackContext) -> Iterator[AttackStep]:
    for length in (1, 10, context.scheme.signature_length - 1):
        yield refused(context.genuine().truncated_signature(length), f"{length} characters")


@_attack(
    "WH-07",
    "scheme-only",
    does="Sends the prefix and no signature after it.",
    wants="Refuse it (4xx).",
    why="Compared over the shorter length, an empty signature equals every other.",
    fix="As for WH-06.",
    source="CVE-2024-21491 (svix)",
)
def _prefix_only(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    for value in filter(None, (context.before_signature(webhook), "sha256=", "v1,")):
        yield refused(context.with_header_value(webhook, value), value[:7])


@_attack(
    "WH-08",
    "over-long",
    level="should",
    does="Sends the right signature with more after it.",
    wants="Refuse it (4xx).",
    why=LENIENT,
    fix="Compare the whole value.",
    source="octokit webhooks-methods; inkbox 178",
)
def _over_long(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    text = context.signature(webhook)
    yield refused(context.with_signature(webhook, text + "0"), "one more")
    yield refused(context.with_signature(webhook, text + text), "twice")


@_attack(
    "WH-09",
    "odd-length-hex",
    does="Sends one hexadecimal digit too few.",
    wants="Refuse it (4xx), without an error.",
    why=LOGS_FILL,
    fix=CANONICAL,
    source="inkbox 178",
)
def _odd(context: AttackContext) -> Iterator[AttackStep]:
    context.require_hex()
    yield refused(context.genuine().truncated_signature(63), same_as_wrong_signature=True)


@_attack(
    "WH-10",
    "non-hex-character",
    quick=True,
    does="Puts a character into the signature that its alphabet does not have.",
    wants="Refuse it (4xx), without an error.",
    why=LOGS_FILL,
    fix=CANONICAL,
    source="octokit webhooks-methods",
)
def _not_hex(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    text = context.signature(webhook)
    odd = "z" if context.is_hex else "%"
    yield refused(context.with_signature(webhook, odd + text[1:]), same_as_wrong_signature=True)


@_attack(
    "WH-11",
    "non-ascii-latin-1",
    quick=True,
    does="Puts the byte 0xE9 into the signature.",
    wants="Refuse it (4xx), without an error.",
    why="hmac.compare_digest raises TypeError for such a text. " + LOGS_FILL,
    fix="Compare bytes: hmac.compare_digest(given.encode(), expected.encode()).",
    source="daiv 1524, hermes-agent 65697",
)
def _latin(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield refused(context.with_signature(webhook, "\xe9" + context.signature(webhook)[1:]))


@_attack(
    "WH-12",
    "unicode-look-alike",
    does="Writes a character of the signature as its full-width twin, in UTF-8.",
    wants="Refuse it (4xx), without an error.",
    why="A check of the length passes and the comparison of bytes raises. " + LOGS_FILL,
    fix="As for WH-11; do not normalise what is compared.",
    source="hyperlocalise 748",
)
def _look_alike(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    text = context.signature(webhook)
    twin = chr(ord(text[0]) + 0xFEE0).encode().decode("latin-1")
    yield refused(context.with_signature(webhook, twin + text[1:]), "full-width")
    yield refused(context.with_signature(webhook, text[:-1] + "\xd0\xb0"), "Cyrillic")


@_attack(
    "WH-13",
    "upper-case-hex",
    level="info",
    does="Writes the right signature in capitals.",
    wants="Refuse or accept it, by policy; no error.",
    why=LENIENT,
    fix=CANONICAL,
    source="bytes.fromhex takes it",
)
def _capitals(context: AttackContext) -> Iterator[AttackStep]:
    context.require_hex()
    webhook = context.genuine()
    capitals = context.with_signature(webhook, context.signature(webhook).upper())
    yield refused(capitals)


@_attack(
    "WH-14",
    "hex-with-inner-spaces",
    level="should",
    does="Puts spaces between the digits of the right signature.",
    wants="Refuse it (4xx).",
    why=LENIENT,
    fix=CANONICAL,
    source="bytes.fromhex skips spaces",
)
def _spaces(context: AttackContext) -> Iterator[AttackStep]:
    context.require_hex()
    webhook = context.genuine()
    text = context.signature(webhook)
    pairs = " ".join(text[i : i + 2] for i in range(0, len(text), 2))
    yield refused(context.with_signature(webhook, pairs))
