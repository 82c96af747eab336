"""What the effects give before anything was sent."""

import itertools

import pytest
from doubles.attack_harness import context_for
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.hooks import HookError
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack


def test_effects_that_change_by_themselves_are_refused() -> None:
    """A clock in a snapshot accuses every receiver: the mistake is told before anything is sent."""
    looks = itertools.count()
    app = ReceiverApp([KEY], Backend())
    receiver = Receiver(app, "/webhooks", effects=lambda: next(looks))
    with pytest.raises(HookError, match="heartbeat"):
        run_attack(find_attack("WH-02"), receiver, context_for(app.backend, ReceiverApp))


def test_effects_that_an_earlier_attack_left_are_let_be() -> None:
    """Work that ends while it is looked at is no clock."""
    app = ReceiverApp([KEY], Backend())
    late = iter([1, 2])

    def effects() -> int:
        return next(late, 2) + app.backend.effects()

    receiver = Receiver(app, "/webhooks", effects=effects)
    verdict = run_attack(find_attack("WH-02"), receiver, context_for(app.backend, ReceiverApp))
    assert verdict.outcome == "passed", str(verdict)
