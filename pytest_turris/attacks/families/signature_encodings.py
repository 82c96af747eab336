"""WH-15 to WH-27: other encodings, labels, algorithms and lists of signatures."""

import base64
import hashlib
import hmac
import zlib
from collections.abc import Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_changed_character
from pytest_turris.attacks.families.advice import CANONICAL, FORGED, LENIENT, LOGS_FILL
from pytest_turris.attacks.step import AttackStep, accepted, refused, tolerated
from pytest_turris.webhooks.signed import SignedWebhook

SIGNATURE_ENCODINGS = Catalogue("signature")
_attack = SIGNATURE_ENCODINGS.attack


def _message(context: AttackContext, webhook: SignedWebhook) -> bytes:
    """The bytes that the scheme signs."""
    at, message_id = webhook.signed_at, webhook.message_id
    return context.scheme.message(webhook.body, at=at, message_id=message_id)


@_attack(
    "WH-15",
    "other-encoding",
    level="should",
    does="Writes the right digest in base64 instead of hexadecimal, or the reverse.",
    wants="Refuse it (4xx).",
    why=LENIENT,
    fix="Pin one encoding.",
    source="Shopify signs in base64, GitHub in hexadecimal",
)
def _other_encoding(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    other = context.other_encoding(context.digest(webhook))
    yield refused(context.with_signature(webhook, other))


@_attack(
    "WH-16",
    "base64-url-safe-or-unpadded",
    level="should",
    does="Writes the right digest in the URL-safe alphabet, or without padding.",
    wants="Refuse it (4xx).",
    why=LENIENT,
    fix=CANONICAL,
    source="Python's decoder drops - and _",
)
def _url_safe(context: AttackContext) -> Iterator[AttackStep]:
    context.require_base64()
    webhook = context.genuine()
    text = context.signature(webhook)
    yield refused(context.with_signature(webhook, text.rstrip("=")), "unpadded")
    yield refused(context.with_signature(webhook, text[:9] + "-" + text[9:]), "dash")


@_attack(
    "WH-17",
    "base64-junk",
    level="should",
    does="Puts characters outside the alphabet into the right signature.",
    wants="Refuse it (4xx).",
    why=LENIENT,
    fix=CANONICAL,
    source="standardwebhooks 1.1.0 accepts it",
)
def _junk(context: AttackContext) -> Iterator[AttackStep]:
    context.require_base64()
    webhook = context.genuine()
    text = context.signature(webhook)
    junk = text[:5] + "!*" + text[5:]
    yield refused(context.with_signature(webhook, junk))


@_attack(
    "WH-18",
    "base64-trailing-bits",
    level="should",
    does="Changes the bits of the last character that no decoder looks at.",
    wants="Refuse it (4xx).",
    why=LENIENT,
    fix=CANONICAL,
    source="base64.b64decode(validate=True) takes it",
)
def _trailing_bits(context: AttackContext) -> Iterator[AttackStep]:
    context.require_base64()
    webhook = context.genuine()
    text = context.signature(webhook)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(text[-2]) ^ 1]
    changed = text[:-2] + last + "="
    yield refused(context.with_signature(webhook, changed))


@_attack(
    "WH-19",
    "prefix-variants",
    level="should",
    does="Sends the right signature under a prefix that was not agreed on.",
    wants="Refuse it (4xx).",
    why="Stripping everything before = or , drops the algorithm's name unread. " + LENIENT,
    fix="Compare the whole value, prefix and all.",
    source="octokit webhooks-methods",
)
def _prefixes(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    for prefix in ("sha256=", "SHA256=", "v1=", ""):
        if prefix == context.before_signature(webhook):
            continue
        value = prefix + context.signature(webhook)
        variant = context.with_header_value(webhook, value)
        yield refused(variant, prefix or "no prefix")


@_attack(
    "WH-20",
    "wrong-algorithm-label",
    level="should",
    does="Names another algorithm before the right signature: sha1=, md5=, none=.",
    wants="Refuse it (4xx).",
    why="The receiver does not read the name, or lets the sender choose the algorithm; WH-21 "
    "shows which.",
    fix="Pin one algorithm; ignore every other.",
    source="octokit webhooks-methods; Stripe's advice on schemes",
)
def _labels(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    for label in ("sha1=", "md5=", "none="):
        value = label + context.signature(webhook)
        yield refused(context.with_header_value(webhook, value), label)


@_attack(
    "WH-21",
    "weaker-algorithm",
    level="should",
    quick=True,
    does="Signs with the right key, but with HMAC-MD5, HMAC-SHA1 or HMAC-SHA512.",
    wants="Refuse it (4xx).",
    why="A sender that may choose the algorithm chooses the weakest, today or once one is added. "
    "It takes the key to sign with these three, too.",
    fix="Pin SHA-256.",
    source="RFC 6151, 2.3: HMAC-MD5 is not for new designs, yet not broken; octokit "
    "webhooks-methods",
)
def _algorithms(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    message = _message(context, webhook)
    for name in ("md5", "sha1", "sha512"):
        text = context.encoded(hmac.digest(context.scheme.key_bytes(context.key), message, name))
        yield refused(context.with_signature(webhook, text), name)
        labelled = context.with_header_value(webhook, f"{name}={text}")
        yield refused(labelled, f"{name}=")


@_attack(
    "WH-22",
    "not-an-hmac",
    does="Sends a plain hash of the body, with the key before or after it or without, or a CRC.",
    wants="Refuse it (4xx).",
    why="Anyone can compute a hash without a key; with the key in front it can be extended.",
    fix="Use HMAC.",
    source="audit of moralis-streams-api",
)
def _hashes(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    key, message = context.scheme.key_bytes(context.key), _message(context, webhook)
    for label, text in (("key and body", key + message), ("body and key", message + key)):
        hashed = context.encoded(hashlib.sha256(text).digest())
        yield refused(context.with_signature(webhook, hashed), label)
    hashed = context.encoded(hashlib.sha256(message).digest())
    yield refused(context.with_signature(webhook, hashed), "body")
    yield refused(context.with_signature(webhook, f"{zlib.crc32(message):08x}"), "CRC")


@_attack(
    "WH-23",
    "key-as-signature",
    level="should",
    does="Sends the key itself, or its base64, in the signature's place.",
    wants="Refuse it (4xx).",
    why="A key that is sent is in the logs of every proxy, and such a request is bound to no "
    "body. Only the owner of the key can send it.",
    fix="Compute the HMAC; never compare the header with the key.",
    source="confusion with GitLab's tokens",
)
def _key(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield refused(context.with_header_value(webhook, context.key), "key")
    text = base64.b64encode(context.key.encode()).decode()
    in_base64 = context.with_header_value(webhook, text)
    yield refused(in_base64, "base64 of the key")


@_attack(
    "WH-24",
    "list-valid-last",
    level="should",
    does="Sends a list of signatures, the right one last.",
    wants="Refuse it (4xx) where the scheme has a single value, accept it (2xx) where it lists.",
    why="The header is searched and not compared, which hides mistakes; without the key that "
    "opens nothing.",
    fix="Compare the whole value.",
    source="standard-webhooks, Python",
)
def _list(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    wrong = context.signature(context.wrongly_signed(webhook))
    several = context.with_signatures(webhook, wrong, context.signature(webhook))
    if context.lists_signatures:
        lost = "While the key changes, genuine webhooks carry a signature for each key."
        yield accepted(several, level="must", why=lost)
        return
    yield refused(several, "comma")
    spaced = f"{context.wrong_header_value(webhook)} {context.header_value(webhook)}"
    yield refused(context.with_header_value(webhook, spaced), "space")


@_attack(
    "WH-25",
    "list-none-valid",
    does="Sends a list of wrong signatures.",
    wants="Refuse it (4xx).",
    why=FORGED,
    fix="Compare the whole value.",
    source="standard-webhooks, Rust",
)
def _wrong_list(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    wrong = context.signature(context.wrongly_signed(webhook))
    yield refused(context.with_signatures(webhook, wrong, with_changed_character(wrong, 1)))


@_attack(
    "WH-26",
    "list-bomb",
    does="Sends 100,000 signatures in one header of a megabyte.",
    wants="Refuse it (4xx) in hardly more time than one signature.",
    why="Each value costs the receiver a comparison: a cheap way to keep it busy.",
    fix="Compare the whole value, or give up after a handful.",
    source="stripe 16.1.0 parses all of them",
)
def _bomb(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.with_header_value(context.genuine(), ",".join(["v1=0000000"] * 100_000))
    yield refused(webhook, may_hang_up=True)


@_attack(
    "WH-27",
    "malformed-neighbour",
    level="should",
    does="Sends garbage, a separator, and the right signature. Where the scheme lists signatures: "
    "one of another version before the right one.",
    wants="Refuse it (4xx), without an error; where the scheme lists, pass over other versions.",
    why="A parser that stumbles over garbage answers 500. " + LOGS_FILL,
    fix="Compare the whole value, or each part of a list by itself.",
    source="standardwebhooks 1.1.0 raises ValueError",
)
def _neighbour(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    value = context.header_value(webhook)
    if context.lists_signatures:
        text = context.signature(webhook)
        unknown = context.with_signatures(webhook, "garbage", text)
        yield tolerated(unknown, "garbage in the list")
        lost = "Senders list signatures of several versions: genuine webhooks are lost."
        for version in _other_versions(context, webhook):
            listed = _with_version(context, context.genuine(), version)
            yield accepted(listed, f"{version} in the list", level="must", why=lost)
        return
    for garbage in ("garbage,", "garbage ", "=,", "t="):
        yield refused(context.with_header_value(webhook, garbage + value), garbage)


def _other_versions(context: AttackContext, webhook: SignedWebhook) -> tuple[str, ...]:
    """Versions besides ``v1`` that lists have; none if the scheme names no version.

    Stripe sends ``v0`` for tests, and Standard Webhooks know ``v1a``: a receiver passes over the
    versions that it does not know.
    """
    return ("v0", "v1a") if "v1" in context.before_signature(webhook) else ()


def _with_version(context: AttackContext, webhook: SignedWebhook, version: str) -> SignedWebhook:
    """The webhook with a signature of another version listed before the right one."""
    text, before = context.signature(webhook), context.before_signature(webhook)
    head, right, mark = before.rpartition("v1")
    other = f"{head}{version}{mark}{text}{context.scheme.list_separator}"
    return context.with_header_value(webhook, f"{other}{right}{mark}{text}")
