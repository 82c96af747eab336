"""Makes one attempt at a delivery: signs it, sends it, and reports how the receiver responded."""

import datetime as dt

from pytest_turris.core.clock import Clock
from pytest_turris.core.outbox.attempts import Attempt
from pytest_turris.core.outbox.deliveries import Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.text.printable import printable
from pytest_turris.core.text.redaction import mask, preview, redact_target
from pytest_turris.receivers.egress import EgressRefused
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.retry_after import retry_after_seconds
from pytest_turris.receivers.socket_post import TURRIS_TIMEOUT
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.observers import notify
from pytest_turris.webhooks.signature import SignatureScheme, compact_json

ATTEMPT_TIME = dt.timedelta(seconds=TURRIS_TIMEOUT)
"""After this time on the sandbox's clock an attempt has failed (documented: 30 seconds)."""

_SHOWN = 40
_ANSWER_SHOWN = 200
"""Characters of a receiver's answer in the delivery history: a message, not a page of HTML."""


class Sender:
    """Signs a delivery once, and sends the same bytes at every attempt.

    Args:
        scheme: How deliveries are signed.
        clock: The sandbox's clock.
        user_agent: The ``User-Agent`` of deliveries; empty for none.
    """

    def __init__(self, scheme: SignatureScheme, clock: Clock, *, user_agent: str = "") -> None:
        self._scheme = scheme
        self._clock = clock
        self._user_agent = user_agent

    def send(self, delivery: Delivery, endpoint: Endpoint, target: Target, number: int) -> Attempt:
        """Make one attempt; an unreachable or failing receiver does not make this raise.

        Args:
            delivery: The delivery; its first attempt signs it.
            endpoint: The endpoint, whose secret signs it.
            target: Where it is sent.
            number: The number of the attempt; 0 for a resend by hand.
        """
        if not delivery.headers:
            self._sign(delivery, endpoint)
        lines = tuple((name, value) for name, value in delivery.headers)
        sent = Post(
            headers=lines,
            body=delivery.body.encode(),
            path=target.path,
            host=target.host,
            scheme=target.scheme,
        )
        begin = self._clock.now()
        status, error, retry_after = self._post(target, sent)
        latency = self._clock.now() - begin
        if latency > ATTEMPT_TIME:
            return timed_out(delivery, number, begin)
        attempt = Attempt(
            delivery=delivery.number,
            attempt=number,
            at=begin,
            status=status,
            latency=latency.total_seconds(),
            error=error,
            signature=_masked_signature(delivery),
            retry_after=retry_after,
        )
        if attempt.succeeded:
            notify(target, sent, lambda: _describe(delivery, sent, endpoint))
        return attempt

    def _sign(self, delivery: Delivery, endpoint: Endpoint) -> None:
        body = compact_json(delivery.event)
        number = f"{delivery.number:024x}"
        lines = self._scheme.header_lines(
            body,
            endpoint.secret,
            at=self._clock.now(),
            message_id=self._scheme.message_id(lambda: number),
        )
        delivery.body = body.decode()
        agent = [["User-Agent", self._user_agent]] if self._user_agent else []
        typed = ["Content-Type", "application/json"]
        delivery.headers = [*agent, typed, *map(list, lines)]

    def _post(self, target: Target, sent: Post) -> tuple[int | None, str, float | None]:
        """The status, why the attempt failed, and the seconds of its ``Retry-After``."""
        try:
            response = target.post(sent)
        except EgressRefused as error:
            return None, f"EgressRefused: {error}", None
        except target.no_response_errors as error:
            return None, f"{type(error).__name__}: {error}", None
        if response.accepted:
            return response.status_code, "", None
        reason = f"status {response.status_code}"
        if response.error:
            reason += f", raised {type(response.error).__name__}"
        seconds = None
        if (value := response.headers.get("retry-after")) is not None:
            seconds = retry_after_seconds(value, self._clock.now())
            reason += f", Retry-After: {value[:_SHOWN]}"
        return response.status_code, reason + _answered(response.body), seconds


def timed_out(delivery: Delivery, number: int, begin: dt.datetime) -> Attempt:
    """Return an attempt that had no answer in time; what comes later is not waited for."""
    return Attempt(
        delivery=delivery.number,
        attempt=number,
        at=begin,
        status=None,
        latency=TURRIS_TIMEOUT,
        error=f"no answer in {TURRIS_TIMEOUT:.0f} s",
        signature=_masked_signature(delivery),
    )


def _answered(body: bytes) -> str:
    """What a receiver answered, after a colon: one line, secrets masked; empty without a body."""
    text = printable(" ".join(preview(body).split()))
    shown = text if len(text) <= _ANSWER_SHOWN else f"{text[:_ANSWER_SHOWN]}..."
    return f": {shown}" if shown else ""


def _masked_signature(delivery: Delivery) -> str:
    return mask(delivery.headers[-1][1])


def _describe(delivery: Delivery, sent: Post, endpoint: Endpoint) -> str:
    url = redact_target(endpoint.url)
    return f"{delivery.webhook_type}, {len(sent.body)} bytes, to {url}"
