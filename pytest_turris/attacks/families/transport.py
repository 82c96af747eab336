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
        raise NotApplicableError("the receiver has no allowlist: run(..., allowlisted='192.0.2.1')")
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
    why="Servers that listen on both see every IPv4 peer so: genuine webhooks are lost.",
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
    does="Sends a genuine webhook by GET, PUT, PATCH, DELETE, HEAD and OPTIONS.",
    wants="Refuse it (4xx), and do nothing.",
    why="What answers to GET can be called by a link or an image.",
    fix="Route POST alone.",
    source="OWASP webhook cheat sheet; octokit",
)
def _methods(context: AttackContext) -> Iterator[AttackStep]:
    for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD"):
        yield refused(context.genuine(), method, transmission=Transmission(method=method))
    # Frameworks answer OPTIONS by themselves with the methods that they route.
    options = Transmission(method="OPTIONS")
    yield tolerated(context.genuine(), "OPTIONS", effects="none", transmission=options)


@_attack(
    "WH-97",
    "content-type",
    quick=True,
    does="Sends a genuine webhook as text, as a form, as UTF-16, and without a type.",
    wants="Refuse these (4xx), and accept application/json; charset=utf-8 (2xx).",
    why="A browser sends text and forms to any site without asking; another charset is another "
    "text.",
    fix="Answer 415 unless the type is application/json, in UTF-8.",
    source="octokit",
)
def _types(context: AttackContext) -> Iterator[AttackStep]:
    for value in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "",
    ):
        yield refused(_typed(context.genuine(), value), value or "none")
    yield accepted(_typed(context.genuine(), "application/json; charset=utf-8"), "utf-8")


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
