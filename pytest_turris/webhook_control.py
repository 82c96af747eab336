"""``turris_webhooks``: the factory of signed webhooks, and the engine that sends them by itself."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from pytest_turris.attacks.catalogue import find
from pytest_turris.attacks.forge import Forge, Handles
from pytest_turris.core.outbox.deliveries import Attempt, Delivery
from pytest_turris.core.outbox.disturbance import Disturbance
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.schedules import schedule_from
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.egress import check
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.sender import Sender, Target
from pytest_turris.webhooks.signed import SignedWebhook

ENDLESS = 1_000_000
"""So many attempts in one ``drain`` are a loop: a receiver whose work causes more webhooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What ``drain`` did: attempts made, deliveries by their state, and the time that passed."""

    attempts: int
    delivered: int
    failed: int
    took: dt.timedelta


class TurrisWebhooks(WebhookFactory):
    """Makes signed webhooks, and delivers what happens in the sandbox to registered receivers."""

    def __init__(self, *, sandbox: Sandbox, **parts: Any) -> None:  # noqa: ANN401 - the factory's
        super().__init__(**parts)
        self._sandbox = sandbox
        self._outbox = sandbox.outbox
        self._sender = Sender(self.scheme, sandbox.clock)
        self._targets: dict[str, Target] = {}

    @classmethod
    def of(cls, sandbox: Sandbox, *, entity: str = "") -> Self:
        """The factory of a sandbox, and its outbox."""
        return cls(sandbox=sandbox, **cls.parts_of(sandbox, entity=entity))

    def register(self, target: object, path: str = "", *, event: str, secret: str = "") -> Endpoint:
        """Register a receiver for one type of event; it hears of what happens from now on.

        Args:
            target: A URL (HTTPS or this machine), an application, a test client, or a function.
            path: The path inside an application.
            event: The ``webhookType``.
            secret: The signing key; this sandbox' webhook secret unless given.

        Raises:
            ValueError: There is no such type; EgressRefused: the URL leads elsewhere.
        """
        if isinstance(target, str):
            check(target)
        self._collect()
        url = target if isinstance(target, str) else f"app:{path or '/'}"
        now = self._sandbox.clock.now()
        endpoint = self._outbox.register(url, event, now, secret or self.key)
        self._targets[endpoint.id] = Target(receiver=target, path=path)
        return endpoint

    def remove(self, endpoint: Endpoint) -> None:
        """Remove a receiver; what is on its way to it is not sent. KeyError if it is gone."""
        self._outbox.endpoints.remove(endpoint.id)
        self._targets.pop(endpoint.id, None)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The registered receivers."""
        return tuple(self._outbox.endpoints)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """The deliveries, settled ones first, after sending what is due by now."""
        self.deliver_due()
        return tuple(self._outbox)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The last attempts, oldest first, after sending what is due by now."""
        self.deliver_due()
        return tuple(self._outbox.attempts)

    def deliver_due(self) -> Drained:
        """Send what is due by now, without letting time pass."""
        return self._deliver(through=False)

    def drain(self) -> Drained:
        """Let time pass until nothing waits any more, and send what becomes due on the way.

        Raises:
            RuntimeError: A million attempts did not suffice: webhooks cause webhooks.
        """
        return self._deliver(through=True)

    def resend(self, delivery: Delivery | int) -> Attempt:
        """Send a delivery again by hand, byte for byte, whatever became of it.

        Raises:
            KeyError: It is unknown, or its receiver was removed.
        """
        number = delivery if isinstance(delivery, int) else delivery.number
        found = self._outbox.find(number)
        endpoint = self._outbox.endpoints.get(found.endpoint_id)
        if endpoint is None:
            raise KeyError(found.endpoint_id)
        return self._send_again(found, endpoint)

    def test(self, endpoint: Endpoint) -> Attempt:
        """Send the documented example of the endpoint's event at once (its body is assumed)."""
        delivery = self._outbox.request_test(endpoint, self._sandbox.clock.now())
        self.deliver_due()
        return next(a for a in reversed(self._outbox.attempts) if a.delivery == delivery.number)

    def disturb(self, **how: Any) -> None:  # noqa: ANN401 - Disturbance's fields
        """Lose, double, delay or reorder deliveries from now on; see ``Disturbance``."""
        self._outbox.disturbance = Disturbance(**how)

    def attack(self, id_: str, variant: int = 0) -> SignedWebhook:
        """One hostile webhook of the catalogue, such as ``WH-28``.

        Raises:
            ValueError: There is no such attack or variant, or it is no single webhook.
        """
        found = find(id_)
        forge = Forge(factory=self, handles=Handles(client_id=self._sandbox.client.client_id))
        try:
            shot = list(found.shots(forge))[variant]
        except Exception as error:
            raise ValueError(f"{found.label} cannot be given as a webhook: {error}") from error
        if shot.raw_only or shot.method != "POST" or shot.path:
            raise ValueError(f"{found.label} is not only a webhook: run it as an attack")
        return shot.webhook

    def retry_after(self, *seconds: float) -> None:
        """Try again so many seconds after each failure, in place of ``webhook_retries``.

        Raises:
            ValueError: A wait is negative or endless.
        """
        self._outbox.schedule = schedule_from(seconds)

    def _collect(self) -> None:
        self._outbox.collect(self._sandbox.events, self._sandbox.clock.now())

    def _deliver(self, *, through: bool) -> Drained:
        clock, begin, done = self._sandbox.clock, self._sandbox.clock.now(), Counter[str]()
        self._collect()
        while True:
            while self._send_next(done):
                self._collect()
            due = self._outbox.next_due() if through else None
            if due is None:
                break
            clock.advance(max(due - clock.now(), dt.timedelta(0)))
            self._collect()
        return Drained(
            attempts=done["attempts"],
            delivered=done["delivered"],
            failed=done["failed"],
            took=clock.now() - begin,
        )

    def _send_next(self, done: Counter[str]) -> bool:
        if (again := self._outbox.next_resend()) is not None:
            endpoint = self._outbox.endpoints.get(again.endpoint_id)
            if endpoint is not None:
                self._send_again(again, endpoint)
                done.update(("attempts", again.state))
        elif (delivery := self._outbox.next_delivery(self._sandbox.clock.now())) is not None:
            self._attempt(delivery, done)
        else:
            return False
        if done["attempts"] > ENDLESS:
            raise RuntimeError("a webhook causes the next one without end")
        return True

    def _attempt(self, delivery: Delivery, done: Counter[str]) -> None:
        endpoint = self._outbox.endpoints.get(delivery.endpoint_id)
        if endpoint is None:
            self._outbox.give_up(delivery)
            return
        attempt = self._send(delivery, endpoint, delivery.attempts + 1)
        self._outbox.record(delivery, attempt)
        done.update(("attempts", delivery.state))

    def _send_again(self, delivery: Delivery, endpoint: Endpoint) -> Attempt:
        attempt = self._send(delivery, endpoint, 0)
        delivery.resends += 1
        self._outbox.attempts.append(attempt)
        if attempt.succeeded and delivery.state == "failed":
            delivery.state = "delivered"
        return attempt

    def _send(self, delivery: Delivery, endpoint: Endpoint, number: int) -> Attempt:
        if not delivery.event:
            delivery.event = self.event(delivery.webhook_type).json
        target = self._targets.get(endpoint.id) or Target(receiver=endpoint.url)
        return self._sender.send(delivery, endpoint, target, number)
