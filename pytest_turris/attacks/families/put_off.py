"""What a receiver accepted while its work failed, which no sender sends again."""

from collections.abc import Iterable, Iterator

from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    StepOutcome,
    Transmission,
    Trouble,
    UnobservedError,
    accepted,
)
from pytest_turris.core.text.plurals import counted
from pytest_turris.webhooks.signed import SignedWebhook

_NEVER_DONE = "It was accepted while the work failed, so nothing sends it again, and it is lost."
_FORGOTTEN = "accepted, not done once the work no longer failed, and done when it was sent again"
_LOST = "accepted, and not done once the work no longer failed, not even when it was sent again"
_SOONER = (
    "Release the claim when the work fails; a queue tries again. If a queue does so later than the "
    "test waits: let it try again sooner in the test."
)
_REMEMBERED = (
    "the webhook was accepted while the work failed, and was not done within some seconds after "
    "that, not even when it was sent again: it is lost, or a queue tries it again later. Let the "
    "queue try again sooner in the test, and say with settle=... when the receiver is quiet"
)
DID_NOT_FAIL = "the work did not fail: does run(failing_work=...) reach the receiver?"
MAY_NOT_HAVE_FAILED = (
    "it was accepted, and whether the work failed is not seen without run(..., effects=...)"
)
OUTAGE = 2.0
"""Seconds for which the work fails after an answer 2xx: what is in the background fails too."""

_NEXT_TRY = 5.0
"""Seconds for a queue to try again, once its work no longer fails."""


def put_off(
    context: AttackContext, webhook: SignedWebhook, *, usual: int, gave_up: bool
) -> Iterator[AttackStep]:
    """What was accepted is not sent again: a good receiver does it without that.

    Some queues try again after a while, others when the next webhook comes. If the same bytes are
    done only when they come again, nothing had kept them.

    Args:
        context: Builds what is sent.
        webhook: What was accepted while the work failed.
        usual: How many effects a webhook has.
        gave_up: Whether the work's error left the application, so that nothing in it tries again.
    """
    seen = Notes()
    yield waited_for(webhook, "mended", _NEXT_TRY).examined(seen)
    if not seen.effects:
        yield accepted(context.genuine(), "another, after it").examined(seen)
        if seen.effects <= usual:
            again = ExpectedBehaviour(answers="accept", effects="any", patience=OUTAGE)
            resent = AttackStep(
                webhook=webhook, expected=again, label="again", why=_NEVER_DONE, fix=_SOONER
            )
            sure = gave_up or context.settles
            yield resent.examined(lambda seen: _lost(seen, sure=sure))
            raise UnobservedError(_REMEMBERED)
    yield accepted(webhook, "again", effects="none")


def require_failing(context: AttackContext, usual: int) -> Iterator[AttackStep]:
    """Send a webhook while the work fails, and give what put it off the time to do it then.

    Where neither the answer nor the time shows that the work was in trouble, it may not have been.

    Args:
        context: Builds what is sent.
        usual: How many effects a webhook has.

    Raises:
        UnobservedError: The webhook was done while the work was to fail.
    """
    webhook, seen = context.genuine(), Notes()
    expected = ExpectedBehaviour(
        answers="any", effects="any", may_stay_silent=True, patience=OUTAGE
    )
    with context.failing_work("before"):
        step = AttackStep(webhook=webhook, expected=expected, label="while the work fails")
        yield step.examined(seen)
    if seen.works(usual):
        raise UnobservedError(DID_NOT_FAIL)
    if seen.stored:
        yield waited_for(webhook, "mended", _NEXT_TRY)


def waited_for(webhook: SignedWebhook, label: str, seconds: float) -> AttackStep:
    """Nothing is sent, and an effect of what was sent before is waited for."""
    expected = ExpectedBehaviour(answers="any", effects="any", patience=seconds)
    nothing = Transmission(copies=0)
    return AttackStep(webhook=webhook, expected=expected, transmission=nothing, label=label)


class Notes:
    """Keeps what came of the last step."""

    def __init__(self) -> None:
        self.effects: int = 0
        self.observed: bool = False
        self.accepted: bool = False
        self.stored: bool = False
        self.gave_up: bool = False

    def __call__(self, seen: StepOutcome) -> Iterable[Trouble]:
        """Keep it; nothing is wrong with it."""
        self.effects = seen.effects or 0
        self.observed = seen.effects is not None
        self.accepted = seen.accepted
        self.stored = seen.accepted and seen.effects == 0
        self.gave_up = seen.answer is not None and seen.answer.error is not None
        return ()

    def works(self, usual: int) -> bool:
        """Whether the webhook was accepted, and done as one is whose work does not fail."""
        return self.accepted and self.effects >= max(usual, 1)


class WhileItFails(Notes):
    """Keeps what came of a step while the work was to fail, and finds what was done in part.

    Args:
        usual: How many effects a webhook has.
    """

    def __init__(self, usual: int) -> None:
        super().__init__()
        self._usual = usual

    def __call__(self, seen: StepOutcome) -> Iterable[Trouble]:
        """Keep it; an effect is wrong, unless the work did not fail at all."""
        super().__call__(seen)
        if self.effects and not self.works(self._usual):
            yield Trouble(got=counted(self.effects, "effect"), expected="nothing done")


def _lost(seen: StepOutcome, *, sure: bool) -> Iterator[Trouble]:
    if seen.effects or sure:
        yield Trouble(got=_FORGOTTEN if seen.effects else _LOST, expected="done without that")
