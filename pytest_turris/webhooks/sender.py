"""Sends what the outbox holds, and tells it what came of that."""

import datetime as dt

from pytest_turris.core.clock import Clock
from pytest_turris.core.outbox.deliveries import Attempt, Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.text.redaction import mask, redact_target
from pytest_turris.receivers.egress import EgressRefused
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.retry_after import seconds_asked_for
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.observers import notify
from pytest_turris.webhooks.signature import SignatureScheme, compact_json

LIMIT = dt.timedelta(seconds=30)
"""How long Turris waits for an answer (documented: guides/webhooks)."""

_SHOWN = 40


class Sender:
    """Signs a delivery once, and sends the same bytes at every attempt."""

    def __init__(self, scheme: SignatureScheme, clock: Clock) -> None:
        self._scheme = scheme
        self._clock = clock

    def send(self, delivery: Delivery, endpoint: Endpoint, target: Target, number: int) -> Attempt:
        """Make one attempt; never raises for what a receiver does, or for where it is."""
        if not delivery.headers:
            self._sign(delivery, endpoint)
        lines = tuple((name, value) for name, value in delivery.headers)
        sent = Post(headers=lines, body=delivery.body.encode(), path=target.path)
        begin = self._clock.now()
        status, error, asked = self._posted(target, sent)
        latency = self._clock.now() - begin
        if latency > LIMIT:
            status, error = None, f"no answer in {LIMIT.seconds} s"
        attempt = Attempt(
            delivery=delivery.number,
            attempt=number,
            at=begin,
            status=status,
            latency=latency.total_seconds(),
            error=error,
            signature=mask(lines[-1][1]),
            retry_after=asked,
        )
        if attempt.succeeded:
            notify(target, sent, lambda: _described(delivery, sent, endpoint))
        return attempt

    def _sign(self, delivery: Delivery, endpoint: Endpoint) -> None:
        body = compact_json(delivery.event)
        value = self._scheme.sign(body, endpoint.secret, at=self._clock.now())
        delivery.body = body.decode()
        delivery.headers = [["Content-Type", "application/json"], [self._scheme.header, value]]

    def _posted(self, target: Target, sent: Post) -> tuple[int | None, str, float | None]:
        """The status, why it failed, and the seconds that the receiver asked to wait."""
        try:
            answer = target.post(sent)
        except EgressRefused as error:
            return None, f"EgressRefused: {error}", None
        except target.no_response_errors as error:
            return None, f"{type(error).__name__}: {error}", None
        if answer.accepted:
            return answer.status_code, "", None
        words = f"status {answer.status_code}"
        if answer.error:
            words += f", raised {type(answer.error).__name__}"
        if (value := answer.headers.get("retry-after")) is None:
            return answer.status_code, words, None
        asked = seconds_asked_for(value, self._clock.now())
        return answer.status_code, f"{words}, Retry-After: {value[:_SHOWN]}", asked


def _described(delivery: Delivery, sent: Post, endpoint: Endpoint) -> str:
    url = redact_target(endpoint.url)
    return f"{delivery.webhook_type}, {len(sent.body)} bytes, to {url}"
