"""Sends what the outbox holds, and tells it what came of that."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pytest_turris.core.clock import Clock
from pytest_turris.core.outbox.deliveries import Attempt, Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.webhooks.delivery import deliver
from pytest_turris.webhooks.egress import EgressRefused
from pytest_turris.webhooks.exchange import Post, WebhookAnswer
from pytest_turris.webhooks.scheme import SignatureScheme, compact_json, masked

LIMIT = dt.timedelta(seconds=30)
"""How long Turris waits for an answer (documented: guides/webhooks)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a webhook leads: a URL, or an application in this process with a path."""

    receiver: object
    path: str = ""


class Sender:
    """Signs a delivery once, and sends the same bytes at every attempt."""

    def __init__(self, scheme: SignatureScheme, clock: Clock, allow: Collection[str] = ()) -> None:
        self._scheme = scheme
        self._clock = clock
        self._allow = allow

    def send(self, delivery: Delivery, endpoint: Endpoint, target: Target, number: int) -> Attempt:
        """Make one attempt; never raises for what a receiver does, or for where it is."""
        if not delivery.headers:
            self._sign(delivery, endpoint)
        begin = self._clock.now()
        status, error = self._posted(delivery, target)
        latency = self._clock.now() - begin
        if latency > LIMIT:
            status, error = None, f"no answer in {LIMIT.seconds} s"
        return Attempt(
            delivery=delivery.number,
            attempt=number,
            at=begin,
            status=status,
            latency=latency.total_seconds(),
            error=error,
            signature=masked(delivery.headers[-1][1]),
        )

    def _sign(self, delivery: Delivery, endpoint: Endpoint) -> None:
        body = compact_json(delivery.event)
        value = self._scheme.sign(body, endpoint.secret, at=self._clock.now())
        delivery.body = body.decode()
        delivery.headers = [["Content-Type", "application/json"], [self._scheme.header, value]]

    def _posted(self, delivery: Delivery, target: Target) -> tuple[int | None, str]:
        lines = tuple((name, value) for name, value in delivery.headers)
        sent = Post(headers=lines, body=delivery.body.encode(), path=target.path)
        return _outcome(lambda: deliver(target.receiver, sent, allow=self._allow))


def _outcome(send: Callable[[], WebhookAnswer]) -> tuple[int | None, str]:
    try:
        answer = send()
    except (OSError, EgressRefused) as error:
        return None, f"{type(error).__name__}: {error}"
    if answer.accepted:
        return answer.status_code, ""
    raised = f", raised {type(answer.error).__name__}" if answer.error else ""
    return answer.status_code, f"status {answer.status_code}{raised}"
