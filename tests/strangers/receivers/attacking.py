"""Attack a receiver that runs, as ``turris-sandbox attack`` does, with all that can be seen."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from strangers.receivers.serving import ENTITY, KEY, Served

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.hooks import FailureMode, ReceiverHooks
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.series.series import AttackSeries, SeriesResult
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.webhooks.factory import WebhookFactory


def attack(
    receiver: Served, attacks: Sequence[Attack] = ATTACKS, settle: float = 0.0
) -> SeriesResult:
    """Run attacks on a receiver, with its effects and the hooks that it can have.

    Args:
        receiver: The receiver.
        attacks: The attacks.
        settle: For how many seconds its effects may still come after its answer.
    """
    sandbox = Sandbox(Options(webhook_secret=KEY))
    factory = WebhookFactory.of(sandbox, entity=ENTITY)
    context = AttackContext(factory=factory, hooks=ReceiverHooks(**_hooks(receiver)))
    target = Receiver(
        receiver.url, effects=receiver.store.effects, settle=receiver.settle or settle or None
    )
    return AttackSeries(target, context).run(attacks)


def _hooks(receiver: Served) -> dict[str, Any]:
    def failing_work(mode: FailureMode) -> AbstractContextManager[object]:
        if mode != "before":
            raise NotApplicableError("its work can only fail before its effect")
        return receiver.store.outage()

    hooks: dict[str, Any] = {"failing_work": failing_work}
    known = ReceiverHooks.__dataclass_fields__
    if "log" in known:
        hooks["log"] = receiver.log
    if "restart" in known and not receiver.stack.behind:
        hooks["restart"] = receiver.restart
    if "api_paths" in known:
        hooks["api_paths"] = receiver.api.paths
    if "shown" in known and receiver.stack.page:
        hooks["shown"] = receiver.shown
    return hooks
