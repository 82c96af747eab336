"""WH-90, WH-93 and WH-94: webhooks that come while the receiver's work fails, or takes long."""

from collections.abc import Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.families.advice import DONE_TWICE
from pytest_turris.attacks.families.put_off import (
    DID_NOT_FAIL,
    MAY_NOT_HAVE_FAILED,
    OUTAGE,
    Notes,
    WhileItFails,
    put_off,
    require_failing,
    waited_for,
)
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    UnobservedError,
    accepted,
)

FAILING_WORK = Catalogue("replay")
_attack = FAILING_WORK.attack

_SLOW_WORK = 3.0
"""Seconds that the work takes: see ``ReceiverHooks``."""


@_attack(
    "WH-90",
    "resend-after-failure",
    does="Sends a webhook while the receiver's work fails, then the same bytes again.",
    wants="Answer the first with an error, accept the second (2xx), and act once; or accept both, "
    "and act once as soon as the work no longer fails.",
    why="Marked as seen before the work is done, the webhook is lost for good.",
    fix="Release the claim when the work fails; a queue tries again.",
    source="help centre: manual resend",
)
def _resend(context: AttackContext) -> Iterator[AttackStep]:
    webhook, before = context.genuine(), Notes()
    yield accepted(context.genuine(), "before it fails").examined(before)
    usual = before.effects
    seen = WhileItFails(usual)
    with context.failing_work("before"):
        expected = ExpectedBehaviour(
            answers="any", effects="any", may_stay_silent=True, patience=OUTAGE
        )
        yield AttackStep(webhook=webhook, expected=expected, label="while it fails").examined(seen)
    if seen.works(usual):
        raise UnobservedError(DID_NOT_FAIL)
    if seen.accepted and not seen.observed:
        raise UnobservedError(MAY_NOT_HAVE_FAILED)
    if seen.stored:
        yield from put_off(context, webhook, usual=usual, gave_up=seen.gave_up)
        return
    yield accepted(webhook, "again")
    yield accepted(webhook, "a third time", effects="none")


@_attack(
    "WH-93",
    "crash-after-effect",
    does="Sends a webhook while the receiver fails after its work, then the same bytes again.",
    wants="Accept the second (2xx), and have acted once.",
    why=DONE_TWICE,
    fix="Remember the digest of each body in the transaction that does the work.",
    source="at-least-once delivery",
)
def _crash(context: AttackContext) -> Iterator[AttackStep]:
    webhook, crash, again = context.genuine(), Notes(), Notes()
    with context.failing_work("after"):
        # Where the work is done, an answer 2xx loses nothing.
        expected = ExpectedBehaviour(answers="any", effects="any", may_hang_up=True)
        yield AttackStep(webhook=webhook, expected=expected, label="crash").examined(crash)
    yield accepted(webhook, "again", effects="first").examined(again)
    if crash.accepted and crash.observed:
        yield from require_failing(context, crash.effects + again.effects)


@_attack(
    "WH-94",
    "slow-work",
    does="Sends a webhook while the receiver's work takes long (three seconds stand for thirty).",
    wants="Accept it (2xx) at once, and work later.",
    why="Turris waits for 30 seconds and takes it for a failure.",
    fix="Store the webhook, answer, and work in the background.",
    source="guides/webhooks: 30 seconds",
)
def _slow(context: AttackContext) -> Iterator[AttackStep]:
    webhook, slow = context.genuine(), Notes()
    with context.failing_work("slow"):
        yield accepted(webhook, effects="any", within=_SLOW_WORK - 0.5).examined(slow)
    if not (slow.accepted and slow.observed):
        return
    if not slow.effects:
        yield waited_for(webhook, "done later", 2 * _SLOW_WORK).examined(slow)
    yield from require_failing(context, slow.effects)
