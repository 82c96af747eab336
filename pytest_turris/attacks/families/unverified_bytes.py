"""WH-122 to WH-126: the bytes that are verified are not those that are used."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlencode

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.families.advice import FORGED
from pytest_turris.attacks.sending.packed_spaces import packed_spaces
from pytest_turris.attacks.step import (
    AttackStep,
    StepOutcome,
    Transmission,
    Trouble,
    refused,
)
from pytest_turris.webhooks.signed import SignedWebhook

UNVERIFIED_BYTES = Catalogue("body")
_attack = UNVERIFIED_BYTES.attack

_RAW = "Verify the raw bytes of the body before anything parses or decodes them."
_FIELDS = ("payload", "data", "event", "body", "json")
_BOUNDARY = "turris-0123456789abcdef"
_MIB = 1024 * 1024
_SMALL = 8 * _MIB
_LARGE = 64 * _MIB
_MUCH = (_LARGE - _SMALL) // 2
"""How much more memory the large bomb may take than the small one. A process that has just started
takes some for any body, and so does what inflates up to a limit."""
_REPLACED = "\N{REPLACEMENT CHARACTER}".encode()
_WATCHED = Transmission(watch_memory=True)


@_attack(
    "WH-122",
    "form-with-the-empty-body",
    quick=True,
    does="Sends an event as a form, urlencoded and multipart, and as JSON, with the signature of "
    "an empty body.",
    wants="Refuse it (4xx), and do nothing.",
    why="Frameworks read a form before the handler does, and then give it an empty raw body. The "
    "one signature of that opens every form. " + FORGED,
    fix=_RAW + " Take application/json alone.",
    source="python-github-webhook 29; slackapi python-slack-events-api 41",
)
def _empty_signed(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    for label, kind, body in _forms(context):
        yield refused(_typed(replace(context.sign(b""), body=body), kind), label)


@_attack(
    "WH-123",
    "unsigned-form",
    quick=True,
    does="Sends an event as a form, urlencoded and multipart, unsigned and wrongly signed.",
    wants="Refuse it (4xx), and do nothing.",
    why="A handler that verifies JSON only takes a form from anyone. " + FORGED,
    fix="Verify before you look at the type of the content, and take application/json alone.",
    source="zulip 13847 (multipart webhooks); octokit: content type",
)
def _unsigned_form(context: AttackContext) -> Iterator[AttackStep]:
    for label, kind, body in _forms(context):
        webhook = _typed(replace(context.wrongly_signed(context.genuine()), body=body), kind)
        yield refused(webhook.unsigned(), f"{label}, unsigned")
        yield refused(webhook, f"{label}, wrongly signed")


def _forms(context: AttackContext) -> Iterator[tuple[str, str, bytes]]:
    """An event in each form: a label, the content type, and the body."""
    body = context.genuine().body
    fields = dict.fromkeys(_FIELDS, body.decode())
    urlencoded = "application/x-www-form-urlencoded"
    yield "urlencoded", urlencoded, urlencode(fields).encode()
    yield "JSON as a form", urlencoded, body
    multipart = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    end = f"{multipart}--{_BOUNDARY}--\r\n".encode()
    yield "multipart", f"multipart/form-data; boundary={_BOUNDARY}", end
    yield "JSON", "application/json", body
    yield "text", "text/plain", body


@_attack(
    "WH-124",
    "lossy-decoding",
    does="Signs a text, and sends bytes that become this text when they are decoded carelessly: a "
    "bad byte for U+FFFD, for nothing, or for another letter.",
    wants="Refuse it (4xx): these bytes were not signed.",
    why="A body that is decoded before it is verified can be changed without its key.",
    fix="Give the HMAC the bytes of the body, never a text: no toString(), no decode().",
    source="RFC 2104, 2: over the data; Unicode 16, 3.9: U+FFFD substitution; Node, "
    "buf.toString(): invalid bytes become U+FFFD",
)
def _lossy(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    for label, signed, sent in (
        ("replaced", _REPLACED, b"\xff"),
        ("left out", b"", b"\xff"),
        ("question mark", b"?", b"\xff"),
        ("seven bits", b"i", b"\xe9"),
        ("Latin-1", b"\xc3\xa9", b"\xe9"),
    ):
        text = json.dumps(context.genuine().json | {"note": "caf#"}).encode()
        genuine = context.sign(text.replace(b"caf#", b"caf" + signed))
        yield refused(replace(genuine, body=text.replace(b"caf#", b"caf" + sent)), label)


@_attack(
    "WH-125",
    "inflated-before-verification",
    does="Sends 8 MiB of spaces as 8 KiB of gzip and of deflate, then 64 MiB as 64 KiB: wrongly "
    "signed, and signed as they are when inflated. How much more memory the receiver's process "
    "takes for the second is watched, where it runs on this machine.",
    wants="Refuse it (4xx), without inflating all of it.",
    why="A small request from anyone takes all the memory: the signature is looked at afterwards.",
    fix="Verify the bytes as they came, and answer 415 to any Content-Encoding; or inflate up to a "
    "limit, and answer 413.",
    source="CWE-409; sashiko 310; express, body-parser: inflates by default, up to its limit",
)
def _inflated(context: AttackContext) -> Iterator[AttackStep]:
    forged = context.wrongly_signed(context.genuine())
    for coding in ("gzip", "deflate"):
        yield from _in_two_sizes(coding, "wrongly signed", lambda _size: forged)
    if context.scheme.signs == "body":
        for coding in ("gzip", "deflate"):
            yield from _in_two_sizes(
                coding, "signed as inflated", lambda size: context.sign(b" " * size)
            )


def _in_two_sizes(
    coding: str, label: str, signed: Callable[[int], SignedWebhook]
) -> Iterator[AttackStep]:
    """A small bomb, then a large one: only a receiver without a limit takes more for it."""
    growth = _Growth()
    for size in (_SMALL, _LARGE):
        packed = replace(signed(size), body=packed_spaces(size)[coding])
        coded = with_header_lines(packed, ("Content-Encoding", coding))
        step = refused(coded, f"{coding}, {size // _MIB} MiB, {label}", transmission=_WATCHED)
        yield step.examined(growth)


class _Growth:
    """Compares the memory taken for a bomb with that for the one before."""

    def __init__(self) -> None:
        self._before: int | None = None

    def __call__(self, seen: StepOutcome) -> Iterable[Trouble]:
        before, self._before = self._before, seen.memory
        if before is None or seen.memory is None or seen.memory - before <= _MUCH:
            return
        got = (
            f"{seen.memory // _MIB} MiB more memory taken by the process for "
            f"{_LARGE // _MIB} MiB, and {before // _MIB} for {_SMALL // _MIB}"
        )
        yield Trouble(got, f"at most {_MUCH // _MIB} MiB more for the larger one", "memory")


@_attack(
    "WH-126",
    "trailing-data",
    level="should",
    does="Signs an event with more after it: another event, a word, a bracket.",
    wants="Refuse it (4xx): that is not one JSON text.",
    why="Parsers that stop at the end of the first value see another webhook than those that read "
    "on: what one checks is not what the other uses.",
    fix="Read to the end: in Go, Decoder.Decode again must return io.EOF; in Java, "
    "FAIL_ON_TRAILING_TOKENS.",
    source="RFC 8259, 2: JSON-text = ws value ws; golang/go 36225",
)
def _trailing(context: AttackContext) -> Iterator[AttackStep]:
    context.require_whole_body_signed()
    for label in ("another event", "a word", "a bracket"):
        first = context.genuine().body
        more = {"another event": context.genuine().body, "a word": b" junk", "a bracket": b"}"}
        yield refused(context.sign(first + more[label]), label, may_store=True)


def _typed(webhook: SignedWebhook, kind: str) -> SignedWebhook:
    lines = [line for line in webhook.header_lines if line[0].lower() != "content-type"]
    return replace(webhook, header_lines=(("Content-Type", kind), *lines))
