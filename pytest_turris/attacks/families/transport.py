"""WH-80 to WH-83 and WH-96 to WH-99: where a webhook comes from, and how it is asked for."""

from collections.abc import Iterator
from dataclasses import replace

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    Transmission,
    accepted,
    refused,
    tolerated,
)
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.webhooks.signed import SignedWebhook

TRANSPORT = Catalogue("transport")
_attack = TRANSPORT.attack

_STRANGER = "203.0.113.9"
_FROM_A_STRANGER = Transmission(peer=_STRANGER)
_SPOOFED = "Anyone who writes the header passes the allowlist."
_PEER = "Look at the peer's address; read headers only from a proxy that you run."


def _allowed(context: AttackContext) -> str:
    if not context.hooks.allowed_ip:
        raise NotApplicableError("the receiver has no allowlist: run(..., allowed_ip='192.0.2.1')")
    return context.hooks.allowed_ip


@_attack(
    "WH-80",
    "x-forwarded-for",
    delivery="in process",
    does="Claims an allowed address in X-Forwarded-For.",
    wants="Refuse it (4xx).",
    why=_SPOOFED,
    fix=_PEER,
    source="RFC 9700, 4.13; sim 6466",
)
def _forwarded(context: AttackContext) -> Iterator[AttackStep]:
    allowed = _allowed(context)
    for value in (allowed, f"{allowed}, {_STRANGER}"):
        webhook = with_header_lines(context.genuine(), ("X-Forwarded-For", value))
        yield refused(webhook, value, transmission=_FROM_A_STRANGER)


@_attack(
    "WH-81",
    "other-address-headers",
    delivery="in process",
    does="Claims an allowed address in X-Real-IP, Forwarded, CF-Connecting-IP or True-Client-IP.",
    wants="Refuse it (4xx).",
    why=_SPOOFED,
    fix=_PEER,
    source="as WH-80",
)
def _others(context: AttackContext) -> Iterator[AttackStep]:
    allowed = _allowed(context)
    for name in ("X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"):
        value = f"for={allowed}" if name == "Forwarded" else allowed
        webhook = with_header_lines(context.genuine(), (name, value))
        yield refused(webhook, name, transmission=_FROM_A_STRANGER)


@_attack(
    "WH-82",
    "allowlisted-bad-signature",
    delivery="in process",
    does="Sends a wrong signature from an allowed address.",
    wants="Refuse it (4xx).",
    why="Addresses are shared and reused: an allowlist does not replace the signature.",
    fix="Verify whatever the address is.",
    source="guides/security",
)
def _unverified(context: AttackContext) -> Iterator[AttackStep]:
    allowed = Transmission(peer=_allowed(context))
    yield refused(context.wrongly_signed(context.genuine()), transmission=allowed)


@_attack(
    "WH-83",
    "mapped-address",
    delivery="in process",
    does="Comes from an allowed address, written as IPv4 inside IPv6.",
    wants="Accept it (2xx).",
    why="Servers that listen on both see IPv4 peers this way: genuine webhooks are lost.",
    fix="ipaddress.ip_address(peer).ipv4_mapped or the address itself.",
    source="RFC 4291, 2.5.5.2",
)
def _mapped(context: AttackContext) -> Iterator[AttackStep]:
    allowed = _allowed(context)
    yield accepted(context.genuine(), "IPv4", transmission=Transmission(peer=allowed))
    yield accepted(context.genuine(), "mapped", transmission=Transmission(peer=f"::ffff:{allowed}"))


@_attack(
    "WH-96",
    "methods",
    quick=True,
    does="Sends a genuine webhook by PUT, PATCH, DELETE, GET, HEAD and OPTIONS; and one without a "
    "signature by PUT, PATCH and DELETE.",
    wants="Refuse PUT, PATCH and DELETE (4xx or 501), above all without a signature. The others "
    "may show a page. Do nothing for any.",
    why="A receiver that verifies for POST alone takes everything by another method.",
    fix="Route POST alone.",
    source="RFC 9110, 15.5.6 (405) and 15.6.2 (501); OWASP webhook cheat sheet; octokit",
)
def _methods(context: AttackContext) -> Iterator[AttackStep]:
    if context.is_function:
        raise NotApplicableError("a function of body and headers sees no method")
    for method in ("PUT", "PATCH", "DELETE"):
        how = Transmission(method=method)
        bare = context.genuine().unsigned()
        yield refused(bare, f"{method} without a signature", transmission=how)
        yield refused(
            context.genuine(),
            method,
            transmission=how,
            level="should",
            why="No sender uses this method; without the key it opens nothing.",
        )
    # A page for those who look, or the allowed methods: neither is an action.
    for method in ("GET", "HEAD", "OPTIONS"):
        how = Transmission(method=method)
        yield tolerated(context.genuine(), method, effects="none", transmission=how)


@_attack(
    "WH-97",
    "content-type",
    level="should",
    quick=True,
    does="Sends a genuine webhook as text, as a form, and without a type; and as JSON with a "
    "charset.",
    wants="Refuse the first three (4xx); accept JSON with charset=utf-8 (2xx), and with any other, "
    "or refuse that.",
    why="Frameworks parse a body by its type: what is verified may not be what is used. A "
    "recipient may look at the data anyway, and the signature keeps strangers out.",
    fix="Answer 415 unless the type is application/json, and ignore its charset.",
    source="RFC 9110, 8.3 and 15.5.16 (415); RFC 8259, 11: charset has no effect on JSON; octokit",
)
def _types(context: AttackContext) -> Iterator[AttackStep]:
    for value in ("text/plain", "application/x-www-form-urlencoded", ""):
        # A crash is no less one because the type is odd: it needs no signature.
        typed = _typed(context.genuine(), value)
        yield refused(typed, value or "none")
    other = _typed(context.genuine(), "application/json; charset=utf-16")
    yield tolerated(other, "utf-16")
    lost = "Libraries write charset=utf-8 of their own accord: genuine webhooks would be lost."
    utf8 = _typed(context.genuine(), "application/json; charset=utf-8")
    yield accepted(utf8, "utf-8", level="must", why=lost)


@_attack(
    "WH-98",
    "path-tricks",
    does="Asks for the path with a slash more, doubled slashes or an encoded dot, unsigned.",
    wants="Not accept it.",
    why="A rule for one spelling of the path does not hold for its aliases.",
    fix="Verify in the handler, not in a rule about paths.",
    source="octokit: trailing slash",
)
def _paths(context: AttackContext) -> Iterator[AttackStep]:
    for label, change in (
        ("slash more", lambda path: path.rstrip("/") + "/"),
        ("doubled", lambda path: "/" + path),
        ("encoded dot", lambda path: "/%2e" + path),
        ("capitals", str.upper),
    ):
        yield AttackStep(
            webhook=context.genuine().unsigned(),
            expected=ExpectedBehaviour(answers="not accept", effects="none"),
            transmission=Transmission(change_path=change),
            label=label,
        )


@_attack(
    "WH-99",
    "plain-http",
    level="info",
    does="Sends a genuine webhook over plain HTTP.",
    wants="Know that it was taken; in production Turris sends to HTTPS alone.",
    why="Over plain HTTP anyone on the network path reads the data and can replay webhooks.",
    fix="Listen on HTTPS alone, or behind a proxy that does.",
    source="OWASP webhook cheat sheet; help centre: HTTPS endpoints",
)
def _plain(context: AttackContext) -> Iterator[AttackStep]:
    yield refused(context.genuine(), transmission=Transmission(plain_http=True))


def _typed(webhook: SignedWebhook, value: str) -> SignedWebhook:
    lines = [line for line in webhook.header_lines if line[0] != "Content-Type"]
    typed = [("Content-Type", value)] if value else []
    return replace(webhook, header_lines=(*typed, *lines))
