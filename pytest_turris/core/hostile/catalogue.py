"""All hostile answers by id, in the order of their ids, and why some ids are missing."""

import difflib

from pytest_turris.core.hostile import bodies, statuses, tokens, waits
from pytest_turris.core.hostile.answer import HostileAnswer, Variant

CATALOGUE: dict[str, HostileAnswer] = {
    answer.id: answer
    for answer in sorted(
        (*tokens.ANSWERS, *bodies.ANSWERS, *statuses.ANSWERS, *waits.ANSWERS),
        key=lambda answer: answer.id,
    )
}

NOT_PRODUCED = {
    "AR-20": "the stored response of an idempotency key: the sandbox does that by itself",
    "AR-34": "another record than was asked for: only the caller knows which one that was",
    "AR-36": "certificates: see TC-18, which brings a listener of its own",
}
"""Ids of the catalogue that no scripted answer can produce."""


def find(name: str) -> tuple[HostileAnswer, tuple[Variant, ...]]:
    """The answer and its variants: ``"AR-27"`` for all, ``"AR-27/milliseconds"`` for one.

    Raises:
        ValueError: There is no such answer, or none that can be produced.
    """
    answer_id, _, variant = name.partition("/")
    if why := NOT_PRODUCED.get(answer_id):
        raise ValueError(f"{answer_id} cannot be scripted: {why}")
    if answer_id not in CATALOGUE:
        near = difflib.get_close_matches(answer_id, CATALOGUE, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no hostile answer {answer_id!r}{hint}")
    answer = CATALOGUE[answer_id]
    if not variant:
        return answer, answer.variants
    named = tuple(found for found in answer.variants if found.name == variant)
    if not named:
        names = ", ".join(repr(found.name) for found in answer.variants)
        raise ValueError(f"{answer_id} has no variant {variant!r}; there are {names}")
    return answer, named
