"""What a receiver accepted while its work failed, which no sender sends again."""

from collections.abc import Iterable, Iterator

from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    Seen,
    Transmission,
    Trouble,
    UnobservedError,
    accepted,
)
from pytest_turris.webhooks.signed import SignedWebhook

_NEVER_DONE = "It was accepted while the work failed, so nothing sends it again, and it is lost."
_FORGOTTEN = "accepted, not done once the work no longer failed, and done when it was sent again"
_REMEMBERED = (
    "the webhook was accepted while the work failed, and was not done within some seconds after "
    "that, not even when it was sent again: it is lost, or a queue tries it again later. Let the "
    "queue try again sooner in the test"
)
OUTAGE = 2.0
"""Seconds for which the work fails after an answer 2xx: what is in the background fails too."""

_NEXT_TRY = 5.0
"""Seconds for a queue to try again, once its work no longer fails."""


def put_off(context: AttackContext, webhook: SignedWebhook, usual: int) -> Iterator[AttackStep]:
    """What was accepted is not sent again: a good receiver does it without that.

    Some queues try again after a while, others when the next webhook comes. If the same bytes are
    done only when they come again, nothing had kept them.
    """
    seen = Notes()
    expected = ExpectedBehaviour(answers="any", effects="any", patience=_NEXT_TRY)
    waited = AttackStep(
        webhook=webhook, expected=expected, transmission=Transmission(copies=0), label="mended"
    )
    yield waited.examined(seen)
    if not seen.effects:
        yield accepted(context.genuine(), "another, after it").examined(seen)
        if seen.effects <= usual:
            again = ExpectedBehaviour(answers="accept", effects="any", patience=OUTAGE)
            resent = AttackStep(webhook=webhook, expected=again, label="again", why=_NEVER_DONE)
            yield resent.examined(_done_only_now)
            raise UnobservedError(_REMEMBERED)
    yield accepted(webhook, "again", effects="none")


class Notes:
    """Keeps what came of the last step."""

    def __init__(self) -> None:
        self.effects = 0
        self.stored = False

    def __call__(self, seen: Seen) -> Iterable[Trouble]:
        """Keep it; nothing is wrong with it."""
        self.effects = seen.effects or 0
        self.stored = seen.accepted and seen.effects == 0
        return ()


def _done_only_now(seen: Seen) -> Iterator[Trouble]:
    if seen.effects:
        yield Trouble(got=_FORGOTTEN, expected="done without that")
