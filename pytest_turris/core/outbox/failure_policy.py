"""What follows from an answer beside another try. Turris documents nothing of it.

Standard Webhooks asks senders to disable a webhook whose receiver answers 410, or fails for long,
and to take ``Retry-After`` into account; Svix and Stripe disable after days of failures.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from pytest_turris.core.options import Options
from pytest_turris.core.outbox.deliveries import Attempt

GONE = 410
LONGEST = dt.timedelta(days=1)
"""A receiver puts the next attempt off by no more than this (assumed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePolicy:
    """How a receiver's failures are taken.

    Args:
        disable_after: So many failed deliveries in a row disable a webhook; 0 never does.
        gone_disables: A 410 disables it at once.
        honours_retry_after: ``Retry-After`` puts the next attempt off; it never adds one.
    """

    disable_after: int = 0
    gone_disables: bool = False
    honours_retry_after: bool = False

    @classmethod
    def of(cls, options: Options) -> Self:
        """The policy that the options say."""
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

    def verdict(self, attempt: Attempt, failures: int) -> str:
        """Why a webhook is disabled after a delivery failed, in words; empty if it is not."""
        moment = f"at {attempt.at:%Y-%m-%d %H:%M:%S}Z on the sandbox's clock"
        if self.is_gone(attempt):
            return f"it answered 410 Gone {moment} (option webhook_gone_disables)"
        if 0 < self.disable_after <= failures:
            return (
                f"{failures} deliveries in a row failed, the last {moment} "
                f"(option webhook_disable_after={self.disable_after})"
            )
        return ""
