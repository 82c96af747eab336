"""``turris_webhook_attack``: one test for each attack of the catalogue."""

import warnings
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

import pytest

from pytest_turris.attack_summary import PROPERTY
from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.catalogue import find, profile
from pytest_turris.attacks.forge import ALL_EVENTS, Events, Forge, Handles, Trouble
from pytest_turris.attacks.judge import judge
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.verdict import Verdict
from pytest_turris.configuration import ignored_for, options_for
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.factory import WebhookFactory

_OF_CLIENTS = ("TC-", "AR-")
"""What one marker may ignore for the tests of a client beside it."""


class ReceiverWarning(UserWarning):
    """A receiver fails an attack that it should withstand."""


def parametrize(metafunc: pytest.Metafunc, ini_names: tuple[str, ...]) -> None:
    """One test for each attack of the profile."""
    attacks = profile(options_for(metafunc.definition, ini_names).attack_profile)
    metafunc.parametrize(
        "turris_webhook_attack", attacks, ids=[attack.label for attack in attacks], indirect=True
    )


class AttackRun:
    """One attack, about to be run on a receiver."""

    def __init__(self, attack: Attack, sandbox: Sandbox, item: pytest.Item) -> None:
        self.attack = attack
        self._sandbox = sandbox
        self._item = item

    def __repr__(self) -> str:
        return f"<attack {self.attack.label}>"

    def run(
        self,
        target: object,
        path: str = "",
        effects: Callable[[], int] | None = None,
        reset: Callable[[], object] | None = None,
        *,
        events: Events | None = None,
        with_keys: Callable[[Sequence[str]], object] | None = None,
        trouble: Callable[[Trouble], AbstractContextManager[object]] | None = None,
        state: Callable[[], object] | None = None,
        truth: Callable[[str], object] | None = None,
        allowlisted: str = "",
        allow: Collection[str] = (),
    ) -> Verdict:
        """Attack a receiver, and fail the test if it does not withstand a ``must``.

        Args:
            target: As for ``SignedWebhook.send``: a URL on this machine, an application, a test
                client, or ``verify(body, headers) -> bool``.
            path: The path inside an application.
            effects: Gives a number that grows with each thing that the receiver does. Without
                it the test is "not observed" and never "passed".
            reset: Is called before the attack.
            events: What the receiver acts on, by ``webhookType``, with the members of the
                payload that must be so for it to act: ``{"PRODUCER_AGREEMENT_EXECUTED": {}}``.
                All four by default.
            with_keys: Gives a receiver with these keys, the current one first; may raise.
            trouble: A context in which its work fails ``before`` or ``after`` its effect, or is
                ``slow`` (three seconds).
            state: The compliance status that it has stored for the entity of the events.
            truth: Makes the API say this status of that entity.
            allowlisted: An IPv4 address that its allowlist holds.
            allow: The ``host:port`` that a URL may lead to beside this machine.

        Attacks that need what is not given are skipped and say so.
        """
        __tracebackhide__ = True
        self._skip_ignored()
        forge = Forge(
            factory=WebhookFactory.of(self._sandbox),
            events=events or ALL_EVENTS,
            handles=Handles(
                with_keys=with_keys,
                trouble=trouble,
                state=state,
                truth=truth,
                allowlisted=allowlisted,
                advance=self._sandbox.clock.advance if self._travels() else None,
                client_id=self._sandbox.client.client_id,
                key_is_client_secret=not self._sandbox.options.webhook_secret,
            ),
        )
        receiver = Receiver(target, path, effects=effects, reset=reset, allow=allow)
        verdict = judge(self.attack, receiver, forge)
        self._tell(verdict)
        return verdict

    def _travels(self) -> bool:
        return "turris_time" in getattr(self._item, "fixturenames", ())

    def _skip_ignored(self) -> None:
        __tracebackhide__ = True
        ignored = ignored_for(self._item)
        for id_ in ignored:
            if id_.startswith(_OF_CLIENTS):
                continue
            try:
                find(id_)
            except ValueError as error:
                pytest.fail(f"turris marker: ignore: {error}", pytrace=False)
        if reason := ignored.get(self.attack.id):
            self._item.user_properties.append((PROPERTY, ("ignored", self.attack.label, reason)))
            pytest.skip(f"{self.attack.id} is ignored: {reason}")

    def _tell(self, verdict: Verdict) -> None:
        __tracebackhide__ = True
        text = "\n".join(verdict.notes) or verdict.reason
        if verdict.outcome in ("noted", "warned"):
            text = str(verdict)
        properties = (verdict.outcome, self.attack.label, text)
        self._item.user_properties.append((PROPERTY, properties))
        if verdict.outcome == "skipped":
            pytest.skip(verdict.reason)
        if verdict.outcome == "failed":
            pytest.fail(str(verdict), pytrace=False)
        if verdict.outcome == "warned":
            warnings.warn(ReceiverWarning(str(verdict)), stacklevel=3)
