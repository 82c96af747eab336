"""Attacks: the catalogue, and any of it on a registered webhook.

Over HTTP, only the receiver's answers can be seen, and its effects at ``effectsUrl``. Without that
URL nothing counts as passed.
"""

import threading
from typing import Any, Literal

from pydantic import Field

from mock_server.attacking.effects import effects_of_url
from mock_server.attacking.report import outcome_of
from mock_server.control.control import ControlCall, Judging, control
from mock_server.control.models import Listing, Parameters, Part, Result, part
from mock_server.control.rows.webhooks.registered import endpoint_of
from pytest_turris.attacks.catalogue import find_attack, profile
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.findings.verdict import Finding, Outcome, Verdict
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.factory import WebhookFactory

_ONE_AT_A_TIME = threading.Lock()
"""An attack reads what this process prints, so two at once would read each other's."""


class AttackShown(Result):
    """An attack of the catalogue."""

    id: str
    title: str
    level: str
    delivery: str
    is_quick: bool


class FindingShown(Result):
    """One thing that the receiver did wrong."""

    level: str
    sent: str
    got: str
    expected: str
    fix: str


class VerdictShown(Result):
    """The verdict of an attack.

    ``as wanted``: the receiver answered as it should, but what it did could not be seen.
    """

    attack: str
    outcome: Outcome | Literal["as wanted"]
    reason: str
    findings: list[FindingShown]
    notes: list[str]


class AttackFilters(Part):
    """Which attacks."""

    profile: Literal["quick", "full"] = Field("full", description="The quick ones, or all.")


class FireAttack(Parameters):
    """Which attack, at which webhook."""

    id: str = Field(min_length=1, max_length=200, description="The id of the webhook.")
    attack: str = Field(
        min_length=1, max_length=100, description="The id of the attack, such as WH-28."
    )
    effects_url: str = Field(
        "",
        max_length=2_000,
        description="A URL on this machine that answers what the receiver did: a number or JSON.",
    )
    timeout: float = Field(5.0, gt=0, le=60, description="Seconds to wait for one answer.")


@control("attacks", "list", "GET", "/attacks", words=("attacks",))
def list_attacks(call: ControlCall, given: AttackFilters) -> Listing[AttackShown]:
    """List the attacks of the catalogue."""
    del call
    quick = {attack.id for attack in profile("quick")}
    found = [
        AttackShown(
            id=attack.id,
            title=attack.title,
            level=attack.level,
            delivery=attack.delivery,
            is_quick=attack.id in quick,
        )
        for attack in profile(given.profile)
    ]
    return Listing(**part(found, given))


@control(
    "webhooks",
    "attack",
    "POST",
    "/webhooks/{id}/attack",
    sends=True,
    positional=("attack",),
    judges=Judging("outcome", "{attack} does not hold: {findings[0][got]}"),
)
def attack_webhook(call: ControlCall, given: FireAttack) -> VerdictShown:
    """Fire one attack of the catalogue at a registered webhook, and judge its answers.

    The verdict is evidence of the audit.
    """
    attack, sandbox = find_attack(given.attack), call.tenant.sandbox
    server = call.tenant.deliveries.server()
    endpoint = endpoint_of(call, given.id)
    same = [
        one.webhook_type
        for one in sandbox.outbox.endpoints
        if (one.url, one.secret) == (endpoint.url, endpoint.secret)
    ]
    target = Target.of(endpoint.url, allow=server.allow, own_port=server.own_port)
    probe = effects_of_url(given.effects_url, allow=server.allow) if given.effects_url else None
    arguments: dict[str, Any] = WebhookFactory.arguments_for(sandbox) | {"key": endpoint.secret}
    context = AttackContext(factory=WebhookFactory(**arguments), events={kind: {} for kind in same})
    with _ONE_AT_A_TIME:
        receiver = Receiver(target, effects=probe, allow=server.allow, timeout=given.timeout)
        verdict = run_attack(attack, receiver, context)
    shown = _verdict(verdict)
    if shown.outcome != "as wanted":  # else its effects were not seen, so it shows nothing
        with call.tenant.own_lock:
            call.tenant.audit.note_verdict(verdict)
    return shown


ROWS = (list_attacks, attack_webhook)


def _verdict(verdict: Verdict) -> VerdictShown:
    return VerdictShown(
        attack=verdict.check.id,
        outcome=outcome_of(verdict),
        reason=verdict.reason,
        findings=[finding_shown(one, verdict.check.fix) for one in verdict.findings],
        notes=list(verdict.notes),
    )


def finding_shown(finding: Finding, fix: str) -> FindingShown:
    """One thing that was wrong; ``fix`` is that of its check."""
    return FindingShown(
        level=finding.level,
        sent=finding.sent,
        got=finding.got,
        expected=finding.expected,
        fix=finding.fix or fix,
    )
