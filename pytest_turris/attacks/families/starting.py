"""Receivers with keys that a good one refuses to start with."""

from collections.abc import Generator, Iterable

from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    StepOutcome,
    Transmission,
    Trouble,
)


def started_with(
    context: AttackContext, key: str
) -> Generator[AttackStep, None, Transmission | None]:
    """Start a receiver with a key, and send it a genuine webhook.

    A server may listen though the application in it refuses to start: gunicorn keeps the port, and
    starts its workers again and again. What answers no genuine webhook has not started.

    Args:
        context: Starts the receiver.
        key: The key.

    Returns:
        How to send to the receiver; None if it refuses to start.
    """
    if (receiver := context.started_with(key)) is None:
        return None
    answered: list[bool] = []

    def keep(seen: StepOutcome) -> Iterable[Trouble]:
        answered.append(seen.answer is not None)
        return ()

    there = Transmission(target=receiver)
    expected = ExpectedBehaviour(answers="any", effects="any", may_stay_silent=True)
    step = AttackStep(
        webhook=context.genuine(), expected=expected, transmission=there, label="started"
    )
    yield step.examined(keep)
    return there if answered == [True] else None
