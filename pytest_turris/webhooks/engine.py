"""The engine: sends what is due in a sandbox's outbox, and reports the result.

It works on the sandbox's clock. A test lets time pass with ``drain``; the standalone sandbox
calls ``take`` and ``send`` as real time passes. The sandbox is locked while the outbox is looked
at and never while something is sent: a receiver may call the sandbox meanwhile.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.outbox.deliveries import Attempt, Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.outbox import Outbox
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.sender import Sender
from pytest_turris.webhooks.signature import SignatureScheme

ENDLESS = 1_000_000
"""More attempts than this in one ``drain`` are a loop: the receiver's work causes more webhooks."""


class DeliveryError(TurrisKitError, RuntimeError):
    """A webhook that was to be sent was not, or webhooks cause webhooks without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that was taken out of the outbox, and the number of the attempt; 0 by hand."""

    delivery: Delivery
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """One delivery that was taken out of the outbox.

    Args:
        delivery: Which one, as it is afterwards.
        endpoint: Where it leads; None if that was removed.
        attempt: What came of it; None if its webhook was removed or disabled: nothing was sent.
    """

    delivery: Delivery
    endpoint: Endpoint | None
    attempt: Attempt | None

    def __str__(self) -> str:
        delivery, attempt = self.delivery, self.attempt
        url = redact_target(self.endpoint.url) if self.endpoint else "a removed webhook"
        head = f"webhook {delivery.number} {delivery.webhook_type} -> {url}"
        if attempt is None:
            return f"{head}: not sent, the webhook is {delivery.state}"
        by_hand = "" if attempt.attempt else " (resend)"
        came = attempt.error or str(attempt.status)
        again = ""
        if attempt.error and delivery.state == "pending":
            again = f"; again at {delivery.due:%H:%M:%S}Z"
        return f"{head}{by_hand}: {came}{again}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """What ``drain`` did.

    Args:
        attempts: How many were made.
        delivered: How many deliveries succeeded.
        failed: How many failed for good.
        unsent: How many were not sent, as their webhook was removed or is disabled.
        took: The time that passed on the sandbox's clock.
        disabled: The webhooks that are disabled now; each says why.
    """

    attempts: int
    delivered: int
    failed: int
    unsent: int
    took: dt.timedelta
    disabled: tuple[Endpoint, ...]

    def __str__(self) -> str:
        done = (
            f"{counted(self.attempts, 'attempt')} in {self.took} on the sandbox's clock: "
            f"{self.delivered} delivered, {self.failed} failed, {self.unsent} not sent"
        )
        return "\n".join((done, *map(_disabled, self.disabled)))


class Engine:
    """Sends what a sandbox has for its webhooks.

    Args:
        sandbox: Whose outbox it is.
        scheme: How deliveries are signed.
        allow: The ``host:port`` that URLs may lead to besides this machine.
        own_port: A port of this machine that nothing is sent to: the sandbox's own.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        scheme: SignatureScheme,
        *,
        allow: Collection[str] = (),
        own_port: int = 0,
    ) -> None:
        self._sandbox = sandbox
        self._lock = sandbox.lock
        self._sender = Sender(scheme, sandbox.clock)
        self._allow = allow
        self._own_port = own_port
        self._targets: dict[str, Target] = {}

    def set_target(self, endpoint: Endpoint, target: Target) -> None:
        """Let an endpoint lead elsewhere than to its URL: to an application in this process."""
        self._targets[endpoint.id] = target

    def clear_target(self, endpoint: Endpoint) -> None:
        """Forget where an endpoint leads."""
        self._targets.pop(endpoint.id, None)

    def deliver_due(self) -> DeliverySummary:
        """Send what is due by now, without letting time pass."""
        return self._deliver(through=False)

    def drain(self) -> DeliverySummary:
        """Let time pass until nothing waits, and send what becomes due on the way.

        Raises:
            RuntimeError: A million attempts did not suffice: webhooks cause webhooks.
        """
        return self._deliver(through=True)

    def take(self) -> Claimed | None:
        """Take out what is to be sent first, if anything is; who does has to ``send`` it."""
        with self._lock:
            outbox = self._outbox
            while (again := outbox.pop_resend()) is not None:
                if outbox.endpoints.get(again.endpoint_id):
                    return Claimed(delivery=again, number=0)
            due = outbox.pop_delivery(self._sandbox.clock.now())
            return Claimed(delivery=due, number=due.attempts + 1) if due else None

    def send(self, taken: Claimed) -> DeliveryResult:
        """Send what was taken out; never raises for what a receiver does.

        Several may be sent at once, from several threads. A delivery that raises anyway has failed.
        """
        delivery, number = taken.delivery, taken.number
        with self._lock:
            endpoint = self._outbox.endpoints.get(delivery.endpoint_id)
            if endpoint is None or (endpoint.disabled and number):
                self._outbox.give_up(delivery, "disabled" if endpoint else "removed")
                return DeliveryResult(delivery=delivery, endpoint=endpoint, attempt=None)
        attempt = self._sent(delivery, endpoint, number)
        return DeliveryResult(delivery=delivery, endpoint=endpoint, attempt=attempt)

    def resend(self, number: int) -> Attempt:
        """Send a delivery again by hand, byte for byte, whatever became of it.

        Raises:
            UnknownRecordError: It is unknown, or its receiver was removed.
        """
        delivery = self._outbox.find(number)
        endpoint = self._outbox.endpoints.get(delivery.endpoint_id)
        if endpoint is None:
            raise UnknownRecordError(f"no webhook with id {delivery.endpoint_id!r}: it was removed")
        return self._sent(delivery, endpoint, 0)

    def _deliver(self, *, through: bool) -> DeliverySummary:
        clock, done = self._sandbox.clock, Counter[str]()
        begin = clock.now()
        while True:
            while (taken := self.take()) is not None:
                step = self.send(taken)
                done[step.delivery.state] += 1
                done["attempts"] += step.attempt is not None
                if done["attempts"] > ENDLESS:
                    raise DeliveryError("a webhook causes the next one without end")
            due = self._outbox.next_due() if through else None
            if due is None:
                break
            clock.advance(max(due - clock.now(), dt.timedelta(0)))
        return DeliverySummary(
            attempts=done["attempts"],
            delivered=done["delivered"],
            failed=done["failed"],
            unsent=done["removed"] + done["disabled"],
            took=clock.now() - begin,
            disabled=tuple(one for one in self._outbox.endpoints if one.disabled),
        )

    def _sent(self, delivery: Delivery, endpoint: Endpoint, number: int) -> Attempt:
        try:
            attempt = self._sender.send(delivery, endpoint, self._target(endpoint), number)
        except BaseException:
            with self._lock:
                self._outbox.give_up(delivery, "failed")
            raise
        with self._lock:
            if number:
                self._outbox.record(delivery, attempt)
            else:
                self._outbox.record_resend(delivery, attempt)
        return attempt

    @property
    def _outbox(self) -> Outbox:
        return self._sandbox.outbox

    def _target(self, endpoint: Endpoint) -> Target:
        if endpoint.id not in self._targets:
            self._targets[endpoint.id] = Target.of(
                endpoint.url, allow=self._allow, own_port=self._own_port
            )
        return self._targets[endpoint.id]


def _disabled(endpoint: Endpoint) -> str:
    url = redact_target(endpoint.url)
    return f"{endpoint.webhook_type} to {url} is disabled: {endpoint.disabled}"
