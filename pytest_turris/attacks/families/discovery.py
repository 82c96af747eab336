"""Which types of events a receiver acts on, found out by sending them."""

import re
from collections.abc import Generator, Iterable

from pytest_turris.attacks.context import ALL_EVENTS, AttackContext
from pytest_turris.attacks.step import AttackStep, ExpectedBehaviour, StepOutcome, Trouble
from pytest_turris.webhooks.signed import SignedWebhook

_UNKNOWN = "TURRIS_UNKNOWN"
_DIGITS = re.compile(r"\S*\d\S*")


def acted_on(context: AttackContext) -> Generator[AttackStep, None, tuple[str, ...]]:
    """Find out which types the receiver acts on: genuine webhooks, and one of an unknown type.

    Where ``events`` was given, it says so. Else those are acted on that have effects, or, where
    effects are not observed, those that are accepted, unless the answer differs from that to
    others and is the one to an unknown type.
    """
    if set(context.events) != set(ALL_EVENTS):
        return tuple(context.events)
    seen: dict[str, StepOutcome] = {}

    def note(name: str, step: AttackStep) -> AttackStep:
        def keep(came: StepOutcome) -> Iterable[Trouble]:
            seen[name] = came
            return ()

        return step.examined(keep)

    unknown = context.genuine().json | {"webhookType": _UNKNOWN}
    yield note(_UNKNOWN, _sent(context.sign(unknown), _UNKNOWN))
    for name in context.events:
        yield note(name, _sent(context.event(name), f"{name}, genuine"))
    like_unknown = _says(seen.pop(_UNKNOWN))
    with_effects = [name for name, came in seen.items() if came.effects]
    taken = [name for name, came in seen.items() if came.accepted]
    others = [name for name in taken if _says(seen[name]) != like_unknown]
    return tuple(with_effects or others or taken or context.events)


def _sent(webhook: SignedWebhook, label: str) -> AttackStep:
    """A webhook that says nothing about the receiver by itself."""
    expected = ExpectedBehaviour(answers="any", effects="any", may_hang_up=True)
    return AttackStep(webhook=webhook, expected=expected, label=label)


def _says(seen: StepOutcome) -> tuple[int, str]:
    """The status and the text of an answer, without numbers and ids."""
    if seen.answer is None:
        return 0, ""
    return seen.answer.status_code, _DIGITS.sub("#", seen.answer.text)
