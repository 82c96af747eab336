"""What follows from an attempt: a retry, or a disabled webhook (undocumented).

Standard Webhooks asks senders to disable a webhook whose receiver answers 410, or fails for long,
and to respect ``Retry-After``; Svix and Stripe disable after days of failures.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Self

from pytest_turris.core.clock import later
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.attempts import Attempt
from pytest_turris.core.outbox.deliveries import Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.retry_schedules import RetrySchedule

GONE = 410
_LONGEST = dt.timedelta(days=1)
"""The longest ``Retry-After`` that is respected (assumed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePolicy:
    """What follows from a receiver's failures.

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

    def judge(
        self,
        attempt: Attempt,
        delivery: Delivery,
        endpoint: Endpoint | None,
        schedule: RetrySchedule,
    ) -> Attempt:
        """Count an attempt: the delivery is delivered, has failed, or is due again.

        Args:
            attempt: The attempt.
            delivery: The delivery that it was made for.
            endpoint: Its webhook; None if that was removed meanwhile.
            schedule: The waits before retries.

        Returns:
            The attempt, with what follows for the webhook.
        """
        delivery.attempts += 1
        if attempt.succeeded:
            delivery.state = "delivered"
            if endpoint:
                endpoint.failures = 0
        elif delivery.attempts <= len(schedule) and not self.is_gone(attempt):
            failed = later(attempt.at, dt.timedelta(seconds=attempt.latency))
            delivery.due = later(failed, self.wait(schedule[delivery.attempts - 1], attempt))
        else:
            delivery.state = "failed"
            if endpoint:
                return self._failed(endpoint, attempt)
        return attempt

    def _failed(self, endpoint: Endpoint, attempt: Attempt) -> Attempt:
        """Count a failed delivery, and disable the webhook if the policy says so."""
        endpoint.failures += 1
        why = "" if endpoint.disabled else self.reason_to_disable(attempt, endpoint.failures)
        if not why:
            return attempt
        endpoint.disabled = why
        return replace(attempt, error=f"{attempt.error}; the webhook is disabled: {why}")

    def wait(self, scheduled: dt.timedelta, attempt: Attempt) -> dt.timedelta:
        """How long after a failed attempt the next one is made."""
        if not self.honours_retry_after or attempt.retry_after is None:
            return scheduled
        asked = min(attempt.retry_after, _LONGEST.total_seconds())
        return max(scheduled, dt.timedelta(seconds=asked))

    def is_gone(self, attempt: Attempt) -> bool:
        """Whether an attempt was the last one for this webhook."""
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
