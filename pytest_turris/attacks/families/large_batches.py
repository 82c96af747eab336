"""WH-128: a batch of several entities, and one as large as a large agency makes it."""

from collections.abc import Iterable, Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.effects import read_text
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
_FIRST_NPN = 73190400
_ENTRIES = 500
_SIZE = 190_000
_SECONDS = 25.0
"""What is left of the 30 seconds that Turris waits: the work is that of 500."""

_TOO_LARGE = 413


@_attack(
    "WH-128",
    "large-batch",
    does=f"Sends a genuine batch of {_FEW} entities, and one of {_ENTRIES} and at least 190 kB.",
    wants="Accept both (2xx) and act on them, and, where pages or rows are seen, on each entity of "
    "the first; to the second, 413 at once is fine as well.",
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
    yield _few(context, effects)
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


def _few(context: AttackContext, effects: Effects) -> AttackStep:
    """A batch of several entities, and a look at what came of each.

    They have nothing in common, unless the test gave members that have to stay.
    """
    event = context.status_event().json
    entries = [event["payload"][0] | _identity(context, number) for number in range(_FEW)]
    if given := context.events[event["webhookType"]]:
        entries = [entry | given for entry in entries]

    def look(seen: StepOutcome) -> Iterable[Trouble]:
        shown = context.hooks.shown
        for text in (repr(seen.snapshot), read_text(shown, "shown") if shown else ""):
            for member in sorted(_identity(context, 0).keys() - given.keys()):
                there = [str(entry[member]) in text for entry in entries]
                if there[0] and not all(there):
                    got = f"the {member} of {sum(there)} of {_FEW} entities was kept"
                    yield Trouble(got, "each of them, as of the first", level="should")
                    return

    step = accepted(
        context.sign(event | {"payload": entries}),
        f"{_FEW} entities",
        effects=effects,
        why=_FEW_LOST,
        fix="Act on each entry of the payload.",
    )
    return step.examined(look)


def _identity(context: AttackContext, number: int) -> dict[str, str]:
    return {
        "downstreamEntityAssociationId": context.factory.new_id(),
        "legalName": f"Turris Batch {number} of {_FEW}",
        "producerCode": f"TURRIS-{number}",
        "npn": f"{_FIRST_NPN + number}",
    }
