"""``turris_webhooks``: the factory of signed webhooks, and the engine that sends them by itself."""

from typing import Any, Self

from pytest_turris.attacks.applicability import NotApplicable
from pytest_turris.attacks.catalogue import find
from pytest_turris.attacks.forge import Forge, Handles
from pytest_turris.core.outbox.deliveries import Attempt, Delivery
from pytest_turris.core.outbox.disturbance import Disturbance
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.schedules import schedule_from
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.egress import check
from pytest_turris.webhooks.engine import Drained, Engine
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.scheme import SignatureError
from pytest_turris.webhooks.sender import Target
from pytest_turris.webhooks.signed import SignedWebhook


class TurrisWebhooks(WebhookFactory):
    """Makes signed webhooks, and delivers what happens in the sandbox to registered receivers."""

    def __init__(self, *, sandbox: Sandbox, **parts: Any) -> None:  # noqa: ANN401 - the factory's
        super().__init__(**parts)
        self._sandbox = sandbox
        self._outbox = sandbox.outbox
        self._engine = Engine(sandbox, self)

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
            TypeError: The target is nothing that can be sent to.
        """
        if isinstance(target, str):
            check(target)
        leads = Target.of(target, path)
        self._engine.collect()
        url = target if isinstance(target, str) else f"app:{path or '/'}"
        now = self._sandbox.clock.now()
        endpoint = self._outbox.register(url, event, now, secret or self.key)
        self._engine.lead(endpoint, leads)
        return endpoint

    def remove(self, endpoint: Endpoint) -> None:
        """Remove a receiver; what is on its way to it is not sent. KeyError if it is gone."""
        self._outbox.endpoints.remove(endpoint.id)
        self._engine.forget(endpoint)

    def enable(self, endpoint: Endpoint) -> None:
        """Let a disabled webhook hear again of what happens from now on."""
        endpoint.enable()

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
        return self._engine.deliver_due()

    def drain(self) -> Drained:
        """Let time pass until nothing waits any more, and send what becomes due on the way.

        What it gives says in words, by ``print``, what was done and which webhooks are disabled.

        Raises:
            RuntimeError: A million attempts did not suffice: webhooks cause webhooks.
        """
        return self._engine.drain()

    def resend(self, delivery: Delivery | int) -> Attempt:
        """Send a delivery again by hand, byte for byte, whatever became of it.

        Raises:
            KeyError: It is unknown, or its receiver was removed.
        """
        number = delivery if isinstance(delivery, int) else delivery.number
        return self._engine.resend(number)

    def test(self, endpoint: Endpoint) -> Attempt:
        """Send the documented example of the endpoint's event at once (its body is assumed).

        Raises:
            RuntimeError: It was not sent: the webhook is disabled, or ``disturb`` kept it.
        """
        delivery = self._outbox.request_test(endpoint, self._sandbox.clock.now())
        self.deliver_due()
        for attempt in reversed(self._outbox.attempts):
            if attempt.delivery == delivery.number:
                return attempt
        why = f": {endpoint.disabled}" if endpoint.disabled else ""
        raise RuntimeError(f"the test webhook was not sent, it is {delivery.state}{why}")

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
            shots = list(found.shots(forge))
        except (NotApplicable, SignatureError) as error:
            raise ValueError(f"{found.label} cannot be given as a webhook: {error}") from error
        if not 0 <= variant < len(shots):
            raise ValueError(
                f"{found.label} has no variant {variant}: there are {len(shots)}, from 0 on"
            )
        shot = shots[variant]
        if shot.raw_only or shot.method != "POST" or shot.path:
            raise ValueError(f"{found.label} is not only a webhook: run it as an attack")
        return shot.webhook

    def retry_after(self, *seconds: float) -> None:
        """Try again so many seconds after each failure, in place of ``webhook_retries``.

        Raises:
            ValueError: A wait is negative or endless.
        """
        self._outbox.schedule = schedule_from(seconds)
