"""WH-129 to WH-132: what shows at a later event: overwritten settings, and what is forgotten."""

import select
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.effects import call_hook
from pytest_turris.attacks.families.variants import with_members_everywhere
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    NotStartedError,
    StepOutcome,
    Transmission,
    Trouble,
    accepted,
    refused,
    tolerated,
)
from pytest_turris.findings.errors import MissingHookError
from pytest_turris.process.steady_clock import steady_time

POLLUTION = Catalogue("payload")
REMEMBERED = Catalogue("replay")

_PLANTED = "turris_planted_key_0123456789abcdef"
_YES = (
    "test", "isTest", "debug", "dryRun", "skipVerification", "skip_verification", "verified",
    "isVerified", "trusted", "internal", "admin", "isAdmin", "authenticated", "disabled", "bypass",
)  # fmt: skip
_KEYS = (
    "secret", "secrets", "key", "keys", "signingKey", "signingSecret", "signing_secret",
    "webhookSecret", "webhook_secret", "clientSecret", "client_secret", "token",
)  # fmt: skip
_Place = Callable[[dict[str, Any]], dict[str, Any]]
_PLACES: dict[str, _Place] = {
    "__proto__": lambda members: {"__proto__": members},
    "constructor": lambda members: {"constructor": {"prototype": members}},
    "__class__": lambda members: {"__class__": {"__init__": {"__globals__": members}}},
}
"""Where a merge that is careless finds what all objects share."""

_OTHERS = 105
_START = 30.0
"""Real seconds in which a receiver starts on a busy machine."""
_ONCE = "Remember the digest of each body in the transaction that does the work."


@POLLUTION.attack(
    "WH-129",
    "prototype-pollution",
    does="Sends a genuine event with __proto__ and constructor.prototype, which give every object "
    "the members that turn verification off; then an unsigned event, and one signed with the key "
    "that they planted. At last one gives every object a signature header, and the event that it "
    "is right for comes without one.",
    wants="Refuse the forgeries (4xx), and accept genuine events as before.",
    why="A merge that follows __proto__ changes every object of the process, for all events after.",
    fix="Read the members that you know; merge nothing, or into Object.create(null).",
    source="CWE-1321; CVE-2019-10744 (lodash); PortSwigger, server-side prototype pollution: seen "
    "from outside in a member that the server reads from an object",
)
def _prototype(context: AttackContext) -> Iterator[AttackStep]:
    for label, place in _PLACES.items():
        yield from _then_forged(context, place(_planted()), label)
    for label, place in _PLACES.items():
        yield from _inherited(context, place, label)


def _inherited(context: AttackContext, place: _Place, label: str) -> Iterator[AttackStep]:
    """A header that every object inherits, as that of a request in Node.js does.

    The event that comes without a signature takes back what was planted.
    """
    name = context.scheme.header
    event = with_members_everywhere(context.genuine().json, place({name.lower(): None}))
    unsigned = context.sign(event)
    members = place({name.lower(): context.header_value(unsigned)})
    planting = with_members_everywhere(context.genuine().json, members)
    yield tolerated(context.sign(planting), f"{label}, a signature")
    yield refused(unsigned.unsigned(), f"after {label}: without the signature that was planted")


@POLLUTION.attack(
    "WH-130",
    "mass-assignment",
    does="Sends a genuine event whose envelope and payload also have members named as settings: "
    "secret, keys, verified, isAdmin; then an unsigned event, and one signed with the planted key.",
    wants="Refuse the forgeries (4xx), and accept genuine events as before.",
    why="Copied member by member, it overwrites what was meant to be the receiver's own.",
    fix="Read the members that you know, by name.",
    source="CWE-915; OWASP API3:2023",
)
def _assigned(context: AttackContext) -> Iterator[AttackStep]:
    yield from _then_forged(context, _planted(), "settings")


def _planted() -> dict[str, Any]:
    return {**dict.fromkeys(_YES, True), **dict.fromkeys(_KEYS, _PLANTED), "verify": False}


def _then_forged(
    context: AttackContext, hostile: dict[str, Any], label: str
) -> Iterator[AttackStep]:
    event = context.genuine().json
    yield tolerated(context.sign(event | hostile), f"{label}, envelope")
    everywhere = with_members_everywhere(context.genuine().json, hostile)
    yield tolerated(context.sign(everywhere), f"{label}, payload")
    yield refused(context.genuine().unsigned(), f"after {label}: unsigned")
    planted = context.genuine().signed_with(context.configured_key(_PLANTED.encode()))
    yield refused(planted, f"after {label}: signed with what was planted")
    yield accepted(context.genuine(), f"after {label}: genuine", effects="any")


@REMEMBERED.attack(
    "WH-131",
    "replay-after-many",
    does=f"Sends a genuine event, {_OTHERS} others, and the first again; where the clock of the "
    "receiver can be moved, once more after a minute and after an hour.",
    wants="Accept or refuse it, and act no more.",
    why="A memory of the last fifty, or of the last minute, is flushed by waiting, or by sending.",
    fix=_ONCE + " Keep it as long as the key holds.",
    source="guides/webhooks: manual resend at any time; CWE-294",
)
def _after_many(context: AttackContext) -> Iterator[AttackStep]:
    webhook = context.genuine()
    yield accepted(webhook, "first")
    for number in range(_OTHERS):
        yield tolerated(context.genuine(), f"another, {number}")
    yield tolerated(webhook, f"again after {_OTHERS} others", effects="none")
    if context.hooks.advance is None or context.scheme.timestamped:
        return
    for label, seconds in (("a minute", 61), ("an hour", 3_600)):
        context.advance_clock(seconds=seconds)
        yield tolerated(webhook, f"again after {label}", effects="none")


@REMEMBERED.attack(
    "WH-132",
    "replay-after-a-restart",
    level="should",
    does="Sends a genuine event, starts the receiver again, and sends the same bytes.",
    wants="Accept or refuse it, and act no more.",
    why="Only the process remembers what it has seen: each deployment forgets it.",
    fix=_ONCE,
    source="guides/webhooks: tolerate duplicates; manual resend at any time",
)
def _restarted(context: AttackContext) -> Iterator[AttackStep]:
    if context.hooks.restart is None:
        raise MissingHookError("needs to start the receiver again: run(..., restart=...)")
    webhook = context.genuine()
    yield accepted(webhook, "first")
    there = Transmission(target=call_hook(context.hooks.restart, "restart"))
    yield from _until_it_answers(context, there)
    yield tolerated(webhook, "after the restart", effects="none", transmission=there)
    yield accepted(context.genuine(), "another", transmission=there)


def _until_it_answers(context: AttackContext, there: Transmission) -> Iterator[AttackStep]:
    """A server may listen before it serves, and reset the first connections."""
    answered: list[bool] = []

    def keep(seen: StepOutcome) -> Iterable[Trouble]:
        answered.append(seen.answer is not None)
        return ()

    expected = ExpectedBehaviour(answers="any", effects="any", may_hang_up=True)
    deadline = steady_time() + _START
    while True:
        webhook = context.genuine()
        step = AttackStep(webhook=webhook, expected=expected, transmission=there, label="started")
        yield step.examined(keep)
        if answered[-1]:
            return
        if steady_time() > deadline:
            raise NotStartedError(f"no answer within {_START:.0f} s after it was started again")
        select.select([], [], [], 0.1)  # time travel does not move it
