"""WH-117 to WH-121: what a receiver may take for a reason not to verify; none is one."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext, with_header_lines
from pytest_turris.attacks.families.advice import FORGED
from pytest_turris.attacks.families.variants import with_members_everywhere
from pytest_turris.attacks.step import (
    AttackStep,
    StepOutcome,
    Transmission,
    Trouble,
    refused,
    tolerated,
)
from pytest_turris.webhooks.signed import SignedWebhook

SWITCHES = Catalogue("signature")
_attack = SWITCHES.attack

_NO_SWITCH = "Verify every request; leave test switches to the tests, which can sign."
_UNKNOWN = "TURRIS_UNKNOWN"
_PINGS = (
    "PING", "ping", "TEST", "test", "HEALTH_CHECK", "WEBHOOK_TEST", "webhook.test",
    "url_verification", "endpoint.url_validation", "ENDPOINT_VERIFICATION",
)  # fmt: skip
TRUE_NAMES = (
    "test", "isTest", "testMode", "test_mode", "debug", "dryRun", "dry_run", "sandbox", "demo",
    "ping", "mock", "skipVerification", "skip_verification", "skipSignature", "skip_signature",
    "verified", "signatureVerified", "trusted", "internal", "force", "admin", "isAdmin",
)  # fmt: skip
_FALSE = ("verify", "verifySignature", "verify_signature", "live", "livemode", "production")
_WORDS = ("mode", "env", "environment", "source", "stage")
_HEADERS = (
    "X-Debug", "X-Test", "X-Test-Mode", "X-Testing", "X-Turris-Test", "X-Turris-Debug", "X-Dry-Run",
    "X-Skip-Signature", "X-Skip-Verification", "X-Skip-Signature-Verification", "X-Skip-Auth",
    "X-Bypass", "X-Bypass-Signature", "X-No-Verify", "X-Internal", "X-Internal-Request",
    "X-Verified", "X-Signature-Verified", "X-Turris-Verified", "X-Trusted", "X-Admin", "X-Dev",
    "X-Development",
)  # fmt: skip
_AGENTS = (
    "Turris-Webhooks/1.0", "Turris/1.0", "PostmanRuntime/7.43.0", "curl/8.5.0",
    "python-requests/2.32.3", "kube-probe/1.31", "ELB-HealthChecker/2.0", "GoogleHC/1.0",
    "GitHub-Hookshot/044aadd", "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
)  # fmt: skip
_ADDRESS_HEADERS = (
    "X-Forwarded-For", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP",
    "X-Original-Forwarded-For", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr",
    "CF-Connecting-IP", "True-Client-IP",
    "Fastly-Client-IP", "X-Envoy-External-Address",
)  # fmt: skip
_HEX = "0123456789abcdef" * 4
_BASE64 = base64.b64encode(bytes.fromhex(_HEX)).decode()
_NEAR = "1767225600"
_VENDORS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("Stripe-Signature", f"t={_NEAR},v1={_HEX}"),),
    (("X-Hub-Signature-256", f"sha256={_HEX}"), ("X-GitHub-Event", "ping")),
    (("X-Hub-Signature", f"sha1={_HEX[:40]}"), ("X-GitHub-Event", "push")),
    (("X-Slack-Signature", f"v0={_HEX}"), ("X-Slack-Request-Timestamp", _NEAR)),
    (("svix-id", "msg_1"), ("svix-timestamp", _NEAR), ("svix-signature", f"v1,{_BASE64}")),
    (("webhook-id", "msg_1"), ("webhook-timestamp", _NEAR), ("webhook-signature", f"v1,{_BASE64}")),
    (("X-Shopify-Hmac-Sha256", _BASE64), ("X-Shopify-Topic", "orders/create")),
    (("X-Gitlab-Token", "turris"), ("X-Gitlab-Event", "Push Hook")),
    (("X-Twilio-Signature", _BASE64[:28]),),
    (("X-Signature", _HEX), ("X-Webhook-Signature", _HEX), ("X-Webhook-Secret", "turris")),
    (("Twilio-Event", "ping"), ("X-Event-Key", "diagnostics:ping"), ("X-Hook-Secret", "turris")),
)


@_attack(
    "WH-117",
    "switch-in-the-body",
    quick=True,
    does="Sends an unsigned and a wrongly signed event that says of itself that it is a test, a "
    "dry run, a ping, verified, or for debugging.",
    wants="Refuse it (4xx), and do nothing.",
    why="The sender of a forgery writes its body: what the body says cannot turn verification off. "
    + FORGED,
    fix=_NO_SWITCH,
    source="sre-bot 1261 (no check outside production); CWE-807",
)
def _body(context: AttackContext) -> Iterator[AttackStep]:
    for label, members in _said():
        event = context.genuine().json
        said = with_members_everywhere(event, members)
        yield from both_forged(context, context.sign(said), label)
        yield from both_forged(context, context.sign(event | members), f"{label}, envelope")
    ignores_unknown: list[bool] = []

    def control(seen: StepOutcome) -> Iterable[Trouble]:
        ignores_unknown.append(seen.accepted)
        return ()

    unknown = context.sign(context.genuine().json | {"webhookType": _UNKNOWN}).unsigned()
    yield tolerated(unknown, f"{_UNKNOWN}, unsigned", effects="none").examined(control)
    for name in _PINGS:
        event = context.genuine().json | {"type": name, "event": name, "challenge": "turris"}
        ping = context.sign(event | {"webhookType": name}).unsigned()
        # A receiver that ignores unknown types before it verifies does nothing for a ping, either.
        if ignores_unknown == [True]:
            yield tolerated(ping, name, effects="none")
        else:
            yield refused(ping, name)


def _said() -> Iterator[tuple[str, dict[str, Any]]]:
    """What a body may say of itself: as JSON's booleans, and as texts."""
    yes, no = dict.fromkeys(TRUE_NAMES, True), dict.fromkeys(_FALSE, False)
    yield "true", {**yes, **no, **dict.fromkeys(_WORDS, "test")}
    texts = {**dict.fromkeys(TRUE_NAMES, "true"), **dict.fromkeys(_FALSE, "false")}
    yield "texts", texts | dict.fromkeys(_WORDS, "development")
    yield "sandbox", dict.fromkeys(_WORDS, "sandbox")


@_attack(
    "WH-118",
    "switch-in-a-header",
    quick=True,
    does="Sends an unsigned and a wrongly signed event with headers for debugging and testing, "
    "and with the User-Agent of Turris, of clients and of health checks.",
    wants="Refuse it (4xx), and do nothing.",
    why="Anyone can write a header. " + FORGED,
    fix=_NO_SWITCH,
    source="CWE-290, CWE-807",
)
def _header(context: AttackContext) -> Iterator[AttackStep]:
    for value in ("true", "1"):
        lines = [(name, value) for name in _HEADERS]
        words = [(name, "development") for name in ("X-Environment", "X-Env", "X-Mode")]
        yield from _beside(context, [*lines, *words], f"X-Debug: {value} and others")
    for agent in _AGENTS:
        yield from _beside(context, [("User-Agent", agent)], agent)


@_attack(
    "WH-119",
    "other-credentials",
    quick=True,
    does="Sends an unsigned and a wrongly signed event with an Authorization header, an API key or "
    "a session cookie.",
    wants="Refuse it (4xx), and do nothing.",
    why="A header that only has to be there proves nothing. " + FORGED,
    fix="Let nothing stand in for the signature.",
    source="CWE-287; RFC 9110, 11.6.2",
)
def _credentials(context: AttackContext) -> Iterator[AttackStep]:
    unsigned_token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0dXJyaXMifQ."
    for value in ("Bearer turris", f"Bearer {unsigned_token}", "Basic YWRtaW46YWRtaW4=", "turris"):
        yield from _beside(context, [("Authorization", value)], value.partition(" ")[0])
    keys = [(name, "turris") for name in ("X-API-Key", "X-Api-Token", "X-Auth-Token", "X-Token")]
    yield from _beside(context, [*keys, ("Cookie", "session=turris; admin=1")], "API key, cookie")


@_attack(
    "WH-120",
    "claimed-address",
    quick=True,
    does="Sends an unsigned and a wrongly signed event that claims, in the headers of proxies, to "
    "come from this machine, from a private network, or from an allowed address.",
    wants="Refuse it (4xx), and do nothing.",
    why="Anyone can write the headers of proxies; and being in an inner network proves nothing. "
    + FORGED,
    fix="Verify whatever the address is.",
    source="RFC 7239, 8.1; CWE-348",
)
def _address(context: AttackContext) -> Iterator[AttackStep]:
    allowed = context.hooks.allowed_ip
    for value in filter(None, ("127.0.0.1", "::1", "10.0.0.5", "192.168.1.10", allowed)):
        lines = [(name, value) for name in _ADDRESS_HEADERS]
        quoted = f'"[{value}]"' if ":" in value else value
        more = [("Forwarded", f"for={quoted}"), ("X-Forwarded-Host", "localhost")]
        yield from _beside(context, [*lines, *more], value)


@_attack(
    "WH-121",
    "other-vendors-signature",
    quick=True,
    does="Sends an unsigned and a wrongly signed event with the signature headers of other "
    "senders, and with a value in their form in the header of this one.",
    wants="Refuse it (4xx), and do nothing.",
    why="A receiver that chooses how to verify by what was sent lets the sender choose. " + FORGED,
    fix="Choose the scheme by the endpoint, never by a header.",
    source="automatos-ai 535 (a malformed header chose the weaker scheme); packagist 1756 (the "
    "header named the algorithm); CWE-757",
)
def _vendors(context: AttackContext) -> Iterator[AttackStep]:
    own = context.scheme.header.lower()
    for lines in _VENDORS:
        if all(name.lower() != own for name, _ in lines):
            yield from _beside(context, lines, lines[0][0])
    for value in (
        f"v1,{_BASE64}",
        f"sha1={_HEX[:40]}",
        f"t={_NEAR},v1={_HEX}",
        "none",
        "unsigned",
        f"bogus={_HEX}",
        f"md5={_HEX[:32]}",
    ):
        webhook = context.genuine()
        yield refused(context.with_header_value(webhook, value), f"in its own header: {value[:5]}")


def both_forged(
    context: AttackContext,
    webhook: SignedWebhook,
    label: str,
    transmission: Transmission | None = None,
) -> Iterator[AttackStep]:
    """A webhook without a signature, and with a wrong one."""
    how = transmission or Transmission()
    yield refused(webhook.unsigned(), f"{label}, unsigned", transmission=how)
    yield refused(context.wrongly_signed(webhook), f"{label}, wrongly signed", transmission=how)


def _beside(
    context: AttackContext, lines: Iterable[tuple[str, str]], label: str
) -> Iterator[AttackStep]:
    """Two forgeries with these header lines, which replace lines of the same names."""
    given = tuple(lines)
    names = {name.lower() for name, _ in given}
    webhook = context.genuine()
    kept = tuple(line for line in webhook.header_lines if line[0].lower() not in names)
    changed = with_header_lines(replace(webhook, header_lines=kept), *given)
    yield from both_forged(context, changed, label)
