"""The engine sends what is due in a sandbox's outbox, and records each attempt there.

It works on the sandbox's clock. A test lets time pass with ``drain``; the standalone sandbox
calls ``claim`` and ``send`` as real time passes. The sandbox is locked while the outbox is read
or changed, and never while something is sent: a receiver may call the sandbox meanwhile.
"""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from pytest_turris.core.clock import later
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.outbox.attempts import Attempt
from pytest_turris.core.outbox.deliveries import Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.outbox import Outbox
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.sender import ATTEMPT_TIME, Sender, timed_out
from pytest_turris.webhooks.signature import SignatureScheme

ATTEMPT_LIMIT = 1_000_000
"""After this many attempts, ``drain`` gives up: a receiver's work causes more webhooks."""


_MOMENT = dt.timedelta(microseconds=1)
"""An answer after exactly 30 seconds is still in time."""


class DeliveryError(TurrisKitError, RuntimeError):
    """A webhook could not be sent, or each webhook causes another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that was taken out of the outbox, to be sent.

    Args:
        delivery: The delivery.
        number: The number of the attempt; 0 for a resend by hand.
    """

    delivery: Delivery
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """The result of one claimed delivery.

    Args:
        delivery: The delivery, as it is afterwards.
        endpoint: Where it was sent; None if the endpoint was removed.
        attempt: The attempt; None if nothing was sent, as the endpoint was removed or disabled.
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
        outcome = attempt.error or str(attempt.status)
        again = ""
        if attempt.error and delivery.state == "pending":
            again = f"; again at {delivery.due:%H:%M:%S}Z"
        return f"{head}{by_hand}: {outcome}{again}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """What ``drain`` or ``deliver_due`` sent; ``print`` shows it in words.

    Args:
        attempts: The number of attempts.
        delivered: The number of deliveries that succeeded.
        failed: The number of deliveries that failed for good.
        unsent: The number of deliveries whose endpoint was removed or is disabled.
        took: The time that passed on the sandbox's clock.
        disabled: The endpoints that are disabled now; each says why.
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
        return "\n".join((done, *map(_describe_disabled, self.disabled)))


class Engine:
    """Sends the deliveries of a sandbox to its endpoints.

    Args:
        sandbox: The sandbox.
        scheme: How deliveries are signed.
        allow: The ``host:port`` pairs outside this machine that URLs may lead to.
        own_port: The sandbox's own port, to which nothing is sent; 0 for none.
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
        agent = sandbox.options.webhook_user_agent
        self._sender = Sender(scheme, sandbox.clock, user_agent=agent)
        self._allow = allow
        self._own_port = own_port
        self._targets: dict[str, Target] = {}
        self._overlapping: list[DeliveryResult] = []

    def set_target(self, endpoint: Endpoint, target: Target) -> None:
        """Send an endpoint's deliveries to a target in place of its URL."""
        self._targets[endpoint.id] = target

    def clear_target(self, endpoint: Endpoint) -> None:
        """Forget the target of an endpoint."""
        self._targets.pop(endpoint.id, None)

    def deliver_due(self) -> DeliverySummary:
        """Send what is due now, without letting time pass."""
        return self._deliver(until_empty=False)

    def drain(self) -> DeliverySummary:
        """Let time pass until nothing is waiting, and send each delivery when it is due.

        Raises:
            DeliveryError: There were a million attempts: each webhook causes another.
        """
        return self._deliver(until_empty=True)

    def claim(self, endpoint_id: str = "") -> Claimed | None:
        """Take the first due delivery out of the outbox; the caller must ``send`` it.

        Args:
            endpoint_id: Whose; by default that of any endpoint, those to be sent again first.
        """
        with self._lock:
            outbox = self._outbox
            while not endpoint_id and (again := outbox.pop_resend()) is not None:
                if outbox.endpoints.get(again.endpoint_id):
                    return Claimed(delivery=again, number=0)
            due = outbox.pop_delivery(self._sandbox.clock.now(), endpoint_id)
            return Claimed(delivery=due, number=due.attempts + 1) if due else None

    def send(self, claimed: Claimed) -> DeliveryResult:
        """Send a claimed delivery; no receiver makes this raise.

        Several threads may send at once. If something else raises, the delivery has failed.
        """
        delivery, number = claimed.delivery, claimed.number
        with self._lock:
            endpoint = self._outbox.endpoints.get(delivery.endpoint_id)
            if not self._outbox.still_sends(delivery, by_hand=not number):
                return DeliveryResult(delivery=delivery, endpoint=endpoint, attempt=None)
            if endpoint is None or (endpoint.disabled and number):
                self._outbox.give_up(delivery, "disabled" if endpoint else "removed")
                return DeliveryResult(delivery=delivery, endpoint=endpoint, attempt=None)
        attempt = self._attempt(delivery, endpoint, number)
        return DeliveryResult(delivery=delivery, endpoint=endpoint, attempt=attempt)

    def resend(self, number: int) -> Attempt:
        """Send a delivery again by hand, byte for byte, whatever its state.

        Args:
            number: The number of the delivery.

        Raises:
            UnknownRecordError: There is no such delivery, or its endpoint was removed.
        """
        delivery = self._outbox.find(number)
        endpoint = self._outbox.endpoints.get(delivery.endpoint_id)
        if endpoint is None:
            raise UnknownRecordError(f"no webhook with id {delivery.endpoint_id!r}: it was removed")
        return self._attempt(delivery, endpoint, 0)

    def _deliver(self, *, until_empty: bool) -> DeliverySummary:
        clock, done = self._sandbox.clock, Counter[str]()
        begin = clock.now()
        while True:
            while (claimed := self.claim()) is not None:
                results = (self.send(claimed), *self._pop_overlapping())
                done["attempts"] += sum(result.attempt is not None for result in results)
                # An attempt that overlaps an earlier one is of the same delivery.
                sent = {result.delivery.number: result.delivery for result in results}
                done.update(delivery.state for delivery in sent.values())
                if done["attempts"] > ATTEMPT_LIMIT:
                    raise DeliveryError(
                        f"stopped after {ATTEMPT_LIMIT:,} attempts: each webhook causes another"
                    )
            due = self._outbox.next_due() if until_empty else None
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

    def _attempt(self, delivery: Delivery, endpoint: Endpoint, number: int) -> Attempt:
        clock, late = self._sandbox.clock, list[Attempt]()
        begin = clock.now()

        def give_up() -> None:
            """Count the attempt as failed, while the receiver is still working."""
            late.append(timed_out(delivery, number, begin))
            self._record(delivery, late[0], number)
            if delivery.state == "pending":
                retries.enter_context(clock.alarm(delivery.due, self._send_overlapping))

        try:
            with (
                contextlib.ExitStack() as retries,
                clock.alarm(later(begin, ATTEMPT_TIME + _MOMENT), give_up),
            ):
                attempt = self._sender.send(delivery, endpoint, self._target(endpoint), number)
        except BaseException:
            with self._lock:
                self._outbox.give_up(delivery, "failed")
            raise
        if late:
            return late[0]
        self._record(delivery, attempt, number)
        return attempt

    def _send_overlapping(self) -> None:
        """Send what is due while a receiver still works on an earlier delivery."""
        while (claimed := self.claim()) is not None:
            self._overlapping.append(self.send(claimed))

    def _pop_overlapping(self) -> list[DeliveryResult]:
        popped, self._overlapping = self._overlapping, []
        return popped

    def _record(self, delivery: Delivery, attempt: Attempt, number: int) -> None:
        with self._lock:
            if number:
                self._outbox.record(delivery, attempt)
            else:
                self._outbox.record_resend(delivery, attempt)

    @property
    def _outbox(self) -> Outbox:
        return self._sandbox.outbox

    def _target(self, endpoint: Endpoint) -> Target:
        if endpoint.id not in self._targets:
            self._targets[endpoint.id] = Target.of(
                endpoint.url, allow=self._allow, own_port=self._own_port
            )
        return self._targets[endpoint.id]


def _describe_disabled(endpoint: Endpoint) -> str:
    url = redact_target(endpoint.url)
    return f"{endpoint.webhook_type} to {url} is disabled: {endpoint.disabled}"
