"""WH-28 to WH-38: the lines that the signature header is made of, and other places for it."""

import json
from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.sending.raw_requests import raw_post
from pytest_turris.attacks.step import AttackStep, Transmission, accepted, refused
from pytest_turris.receivers.raw_socket import RawPost
from pytest_turris.webhooks.signed import SignedWebhook

SIGNATURE_HEADERS = Catalogue("signature")
_attack = SIGNATURE_HEADERS.attack

_DIFFERENTIAL = (
    "Servers disagree on which line counts: a proxy may verify one, and the application use "
    "another. A sender of one right line could send it alone, so nothing is gained at the receiver."
)
_ONE_LINE = "Where a proxy verifies, refuse any number of lines but one."
_PARSER = "It is the work of the server and its parser, and no receiver can do otherwise."


def _with_line(webhook: SignedWebhook, *lines: bytes) -> AttackStep:
    """A forgery over a socket, with these header lines in the signature's place."""
    return refused(webhook, may_hang_up=True, transmission=_raw(webhook, *lines))


def _raw(webhook: SignedWebhook, *lines: bytes) -> Transmission:
    """Writes these header lines to a socket in the signature's place."""

    def raw(host: str, path: str) -> RawPost:
        return raw_post(webhook.unsigned(), host, path, *lines)

    return Transmission(raw=raw)


def _twice(
    context: AttackContext, webhook: SignedWebhook, first: str, last: str
) -> Iterator[AttackStep]:
    """The header twice: under one spelling of its name, and under two."""
    name = context.scheme.header
    same = context.with_header_value(webhook, first, last)
    yield refused(same, "same name", crash_level="must")
    lines = (name, first), (name.lower(), last)
    other = with_header_lines(webhook.unsigned(), *lines)
    yield refused(other, "other letters", crash_level="must")


@_attack(
    "WH-28",
    "duplicate-header-good-bad",
    about="server",
    level="info",
    quick=True,
    does="Sends the signature header twice, its name in the same letters and in others, the right "
    "one first.",
    wants="Refuse it (4xx).",
    why=_DIFFERENTIAL,
    fix=_ONE_LINE,
    source="RFC 9110, 5.3: a sender must not write such lines, and a recipient may join them; "
    "measured: WSGI joins them, Starlette and aiohttp take the first, standardwebhooks the last "
    "of names in other letters",
)
def _good_bad(context: AttackContext) -> Iterator[AttackStep]:
    context.require_single_signature()
    webhook = context.genuine()
    right, wrong = context.header_value(webhook), context.wrong_header_value(webhook)
    yield from _twice(context, webhook, right, wrong)


@_attack(
    "WH-29",
    "duplicate-header-bad-good",
    about="server",
    level="info",
    does="Sends the signature header twice, its name in the same letters and in others, the right "
    "one last.",
    wants="Refuse it (4xx).",
    why=_DIFFERENTIAL,
    fix=_ONE_LINE,
    source="as WH-28",
)
def _bad_good(context: AttackContext) -> Iterator[AttackStep]:
    context.require_single_signature()
    webhook = context.genuine()
    right, wrong = context.header_value(webhook), context.wrong_header_value(webhook)
    yield from _twice(context, webhook, wrong, right)


@_attack(
    "WH-30",
    "underscore-alias",
    about="server",
    level="info",
    delivery="socket",
    does="Sends the right signature as X_Turris_Signature only.",
    wants="Refuse it (4xx): the header is absent.",
    why="A proxy that filters the real name is passed by. That matters for names that a proxy "
    "sets; a "
    "signature proves itself under any name. " + _PARSER,
    fix="Serve with a server that drops names with underscores.",
    source="CVE-2015-0219 (Django), about names that a proxy sets; measured: wsgiref, Puma, php -S",
)
def _underscore(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    name = context.scheme.header.replace("-", "_")
    yield _with_line(webhook, f"{name}: {context.header_value(webhook)}".encode())


@_attack(
    "WH-31",
    "dash-and-underscore",
    about="server",
    level="info",
    delivery="socket",
    does="Sends a wrong signature under the real name and the right one under its alias.",
    wants="Refuse it (4xx): the name with the underscore must not win.",
    why="As for WH-30.",
    fix="As for WH-30.",
    source="measured: wsgiref joins them",
)
def _both_names(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    name, wrong = context.scheme.header, context.wrong_header_value(webhook)
    alias = name.replace("-", "_")
    yield _with_line(
        webhook, f"{name}: {wrong}".encode(), f"{alias}: {context.header_value(webhook)}".encode()
    )


@_attack(
    "WH-32",
    "header-name-casing",
    quick=True,
    does="Writes the header's name in other letters: as documented, in lower case (HTTP/2, API "
    "Gateway), capitalised (Go), and mixed where a server reads it: x-TURRIS-signature.",
    wants="Accept it (2xx).",
    why="Names have no case, and proxies change it: genuine webhooks would be lost.",
    fix="Look the header up without regard to case.",
    source="RFC 9110, 5.1",
)
def _casing(context: AttackContext) -> Iterator[AttackStep]:
    as_written = Transmission(exact_names=True)
    for change in (str, str.lower, str.title, str.upper, str.swapcase):
        webhook = context.genuine()
        line = (change(context.scheme.header), context.header_value(webhook))
        sent = with_header_lines(webhook.unsigned(), line)
        yield accepted(sent, line[0], transmission=as_written)


@_attack(
    "WH-33",
    "surrounding-whitespace",
    about="server",
    level="info",
    delivery="socket",
    does="Puts spaces and a tab around the right signature.",
    wants="Accept it (2xx): they are not part of the value.",
    why="A server that keeps a tab lets the comparison fail. No sender or proxy is known to write "
    "one. " + _PARSER,
    fix="Strip spaces and tabs at both ends, and nothing else.",
    source="RFC 9110, 5.5: a parser must leave it out; measured: Werkzeug, httptools and Puma "
    "keep a trailing tab",
)
def _surrounded(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    line = f"{context.scheme.header}:  \t{context.header_value(webhook)} \t".encode()
    yield accepted(webhook, transmission=_raw(webhook, line))


@_attack(
    "WH-34",
    "obs-fold",
    about="server",
    level="info",
    delivery="socket",
    does="Continues the right signature on a second line.",
    wants="Refuse it (4xx).",
    why="A server that joins such lines otherwise than by a space passes on another value. "
    + _PARSER,
    fix="Compare the whole value; serve with a server that refuses folded lines.",
    source="RFC 9112, 5.2: a server must refuse it, or put a space in its place; measured: Flask, "
    "Django and uvicorn pass it on",
)
def _folded(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    value = context.header_value(webhook)
    yield _with_line(
        webhook, f"{context.scheme.header}: {value[:20]}".encode(), f" {value[20:]}".encode()
    )


@_attack(
    "WH-35",
    "space-before-colon",
    about="server",
    level="info",
    delivery="socket",
    does="Puts a space between the header's name and the colon.",
    wants="Refuse it (4xx).",
    why="Some servers drop the line, others read it: a proxy may filter what is not dropped. "
    + _PARSER,
    fix="Serve with a server that refuses it.",
    source="RFC 9112, 5.1: a server must answer 400; measured: uvicorn and aiohttp do",
)
def _space(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield _with_line(webhook, f"{context.scheme.header} : {context.header_value(webhook)}".encode())


@_attack(
    "WH-36",
    "nul-or-bare-cr",
    about="server",
    level="info",
    delivery="socket",
    does="Puts a NUL or a bare CR into the value, after the right signature.",
    wants="Refuse it (4xx), without an error.",
    why="A parser that ends the text there gives another value than was sent. " + _PARSER,
    fix="Compare the whole value.",
    source="RFC 9110, 5.5: a recipient must refuse it, or put a space in its place; measured: "
    "Werkzeug delivers NUL, a bare CR cuts the value",
)
def _control(context: AttackContext) -> Iterator[AttackStep]:
    for byte in (b"\0", b"\r"):
        webhook = context.genuine()
        name, value = context.scheme.header.encode(), context.header_value(webhook).encode()
        yield _with_line(webhook, name + b": " + value + byte + b"x")


@_attack(
    "WH-37",
    "signature-in-the-wrong-place",
    level="should",
    quick=True,
    does="Sends the right signature in the query, in a cookie or in the body.",
    wants="Refuse it (4xx).",
    why="URLs and cookies are logged, cached and set by others; then so is the proof of the "
    "sender. Without a right signature it opens nothing.",
    fix="Read the signature from its header alone.",
    source="guides/webhooks",
)
def _elsewhere(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    value, bare = context.header_value(webhook), webhook.unsigned()
    for name in ("signature", context.scheme.header):
        query = _with_query(f"{name}={value}")
        yield refused(bare, f"?{name}=", transmission=query)
    cookie = f"signature={value}; {context.scheme.header}={value}"
    yield refused(with_header_lines(bare, ("Cookie", cookie)), "cookie")
    inside = json.dumps(webhook.json | {"signature": value}).encode()
    yield refused(replace(bare, body=inside), "body")


@_attack(
    "WH-38",
    "forwarded-signature-header",
    level="should",
    does="Sends the right signature as X-Forwarded-Turris-Signature.",
    wants="Refuse it (4xx).",
    why="Anyone can write the headers of proxies, so they prove nothing; here the signature does.",
    fix="Read the signature from its header alone.",
    source="RFC 9700, 4.13",
)
def _forwarded(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    name = f"X-Forwarded-{context.scheme.header.removeprefix('X-')}"
    line = (name, context.header_value(webhook))
    yield refused(with_header_lines(webhook.unsigned(), line))


def _with_query(query: str) -> Transmission:
    """Requests the receiver's path with a query."""
    return Transmission(change_path=lambda path: f"{path}?{query}")
