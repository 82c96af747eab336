"""What happens after a failed delivery besides a retry. Turris documents nothing about it.

Standard Webhooks asks senders to disable a webhook whose receiver answers 410, or fails for long,
and to respect ``Retry-After``; Svix and Stripe disable after days of failures.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from pytest_turris.core.options import Options
from pytest_turris.core.outbox.deliveries import Attempt

GONE = 410
LONGEST = dt.timedelta(days=1)
"""The longest ``Retry-After`` that is respected (assumed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePolicy:
    """What a receiver's failures lead to.

    Args:
        disable_after: Disable a webhook after this many failed deliveries in a row; 0: never.
        gone_disables: Disable a webhook at once if its receiver answers 410.
        honours_retry_after: Let ``Retry-After`` delay the next attempt; it never adds one.
    """

    disable_after: int = 0
    gone_disables: bool = False
    honours_retry_after: bool = False

    @classmethod
    def of(cls, options: Options) -> Self:
        """The policy that the options set."""
        return cls(
            disable_after=options.webhook_disable_after,
            gone_disables=options.webhook_gone_disables,
            honours_retry_after=options.webhook_honours_retry_after,
        )

    def wait(self, scheduled: dt.timedelta, attempt: Attempt) -> dt.timedelta:
        """How long after a failed attempt the next one is made."""
        if not self.honours_retry_after or attempt.retry_after is None:
            return scheduled
        asked = min(attempt.retry_after, LONGEST.total_seconds())
        return max(scheduled, dt.timedelta(seconds=asked))

    def is_gone(self, attempt: Attempt) -> bool:
        """Whether an attempt was the last that this webhook gets."""
        return self.gone_disables and attempt.status == GONE

    def reason_to_disable(self, attempt: Attempt, failures: int) -> str:
        """Why a webhook is disabled after a failed delivery; empty if it stays enabled."""
        moment = f"at {attempt.at:%Y-%m-%d %H:%M:%S}Z on the sandbox's clock"
        if self.is_gone(attempt):
            return f"it answered 410 Gone {moment} (option webhook_gone_disables)"
        if 0 < self.disable_after <= failures:
            failed = f"{failures} deliveries in a row failed, the last"
            failed = "1 delivery failed," if failures == 1 else failed
            return f"{failed} {moment} (option webhook_disable_after={self.disable_after})"
        return ""
