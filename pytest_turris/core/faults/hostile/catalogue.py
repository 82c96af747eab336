"""All hostile answers by id, in the order of their ids."""

from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.faults.hostile import (
    bodies,
    handshakes,
    outcomes,
    statuses,
    tokens,
    waits,
)
from pytest_turris.core.faults.hostile.answer import HostileAnswer, Variant
from pytest_turris.core.text.names import did_you_mean

CATALOGUE: dict[str, HostileAnswer] = {
    answer.id: answer
    for answer in sorted(
        (
            *tokens.ANSWERS, *bodies.ANSWERS, *statuses.ANSWERS, *waits.ANSWERS,
            *outcomes.ANSWERS, *handshakes.ANSWERS,
        ),
        key=lambda answer: answer.id,
    )
}  # fmt: skip


def find_answer(name: str) -> tuple[HostileAnswer, tuple[Variant, ...]]:
    """The answer and its variants: ``"AR-27"`` for all, ``"AR-27/milliseconds"`` for one.

    Raises:
        UnknownNameError: There is no such answer or variant; the message names the nearest.
    """
    answer_id, _, variant = str(name).partition("/")
    if answer_id not in CATALOGUE:
        hint = did_you_mean(answer_id, CATALOGUE)
        raise UnknownNameError(f"there is no hostile answer {answer_id!r}{hint}")
    answer = CATALOGUE[answer_id]
    if not variant:
        return answer, answer.variants
    named = tuple(found for found in answer.variants if found.name == variant)
    if not named:
        names = ", ".join(repr(found.name) for found in answer.variants)
        raise UnknownNameError(f"{answer_id} has no variant {variant!r}; it has {names}")
    return answer, named
