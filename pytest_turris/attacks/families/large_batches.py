"""WH-128: a batch as large as a large agency makes it."""

from collections.abc import Iterable, Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.step import (
    AttackStep,
    Effects,
    ExpectedBehaviour,
    StepOutcome,
    Transmission,
    Trouble,
    accepted,
    tolerated,
)
from pytest_turris.findings.errors import NotApplicableError

LARGE_BATCHES = Catalogue("events")
_attack = LARGE_BATCHES.attack

_FEW = 8
_FEW_LOST = "Changes of one minute come in one webhook: a few kilobytes are nothing unusual."
_ENTRIES = 500
_SIZE = 190_000
_SECONDS = 25.0
"""What is left of the 30 seconds that Turris waits: the work is that of 500."""

_TOO_LARGE = 413


@_attack(
    "WH-128",
    "large-batch",
    does=f"Sends a genuine batch of {_FEW} entities, and one of {_ENTRIES} and at least 190 kB.",
    wants="Accept both (2xx) and act on them; to the second, 413 at once is fine as well.",
    why="Limits of 100 kB are the default of some frameworks: the webhooks of large agencies are "
    "lost, and an answer other than 413 does not say why.",
    fix="Set the limit of the body to some megabytes, for this route.",
    source="guides/webhooks: status events are batches, their limit is not documented; RFC 9110, "
    "15.5.14; express, body-parser: a limit of 100kb",
)
def _batch(context: AttackContext) -> Iterator[AttackStep]:
    event = context.status_event().json
    entry = event["payload"][0]
    acts: list[int | None] = []

    def control(seen: StepOutcome) -> Iterable[Trouble]:
        if not seen.accepted:
            raise NotApplicableError("the receiver takes no event with an array for a payload")
        acts.append(seen.effects)
        return ()

    yield tolerated(context.sign(event), "one entity").examined(control)
    effects: Effects = "some" if acts[0] else "any"
    few = [entry | {"npn": f"{number:08d}"} for number in range(_FEW)]
    label = f"{_FEW} entities"
    yield accepted(context.sign(event | {"payload": few}), label, effects=effects, why=_FEW_LOST)
    entries = [entry | {"npn": f"{number:08d}"} for number in range(_ENTRIES)]
    body = context.sign(event | {"payload": entries}).body
    padding = " " * max(0, (_SIZE - len(body)) // _ENTRIES)
    named = [one | {"legalName": f"{entry['legalName']}{padding}."} for one in entries]
    large = context.sign(event | {"payload": named})
    yield AttackStep(
        webhook=large,
        expected=ExpectedBehaviour(
            answers="accept", effects=effects, refusals=(_TOO_LARGE,), within=_SECONDS
        ),
        transmission=Transmission(takes_long=True),
        label=f"{_ENTRIES} entities",
    )
