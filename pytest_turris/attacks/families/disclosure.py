"""WH-155: what was received, shown to strangers."""

from collections.abc import Iterable, Iterator

from pytest_turris.attacks.attack import Catalogue
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.families.variants import named
from pytest_turris.attacks.step import (
    AttackStep,
    ExpectedBehaviour,
    StepOutcome,
    Transmission,
    Trouble,
    accepted,
)
from pytest_turris.findings.errors import NotApplicableError

DISCLOSURE = Catalogue("transport")

_NAME = "Turris Canary 9f1c7e52"


@DISCLOSURE.attack(
    "WH-155",
    "stored-events-shown",
    does="Sends a genuine event with a name that nothing else has; then asks for the same "
    "address by GET, and posts an unsigned event, and looks for the name in the answers.",
    wants="Show nothing of it.",
    why="Anyone who finds the address reads the names, numbers and statuses of your agents.",
    fix="Route POST alone, and show what you stored behind a sign-in.",
    source="CWE-306, CWE-200; OWASP API5:2023",
)
def _shown(context: AttackContext) -> Iterator[AttackStep]:
    if context.is_function:
        raise NotApplicableError("a function of body and headers answers nothing by itself")
    event = context.genuine().json | {"note": _NAME}
    yield accepted(context.sign(named(event, _NAME)), "genuine", effects="any")
    unsigned = context.genuine().unsigned()
    for method in ("GET", "POST"):
        how = Transmission(method=method)
        expected = ExpectedBehaviour(answers="any", effects="any")
        step = AttackStep(webhook=unsigned, expected=expected, transmission=how, label=method)
        yield step.examined(_shows)


def _shows(seen: StepOutcome) -> Iterable[Trouble]:
    if seen.answer is not None and _NAME in seen.answer.text:
        got = f"{seen.answer.status_code} with what an earlier webhook said"
        yield Trouble(got, "nothing of it", "no leak")
