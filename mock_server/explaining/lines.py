"""Every line of the vendor's security page, explained: what proves it, and what breaks it."""

from collections.abc import Iterator

from mock_server.explaining.checks import examples
from mock_server.explaining.explanation import Explanation
from pytest_turris.audit.checklist import CHECKLIST, PAGE, ChecklistLine
from pytest_turris.audit.families import check_of
from pytest_turris.audit.reports.ranges import ranges

LINE_PREFIX = "SEC"
"""How their ids begin."""

_KINDS = {
    "provable": "checks can prove it",
    "heuristic": "a check can find a violation; finding none does not prove it",
    "process": "only people can say it",
}


def line_explanations() -> dict[str, Explanation]:
    """Each line by its id."""
    return {id_: _explained(line) for id_, line in CHECKLIST.items()}


def _explained(line: ChecklistLine) -> Explanation:
    groups = " and ".join(f"one of {', '.join(ranges(group))}" for group in line.proofs)
    checks = tuple(_checks_of(line))
    shown = next((id_ for id_ in checks if id_ in examples()), "")
    example = examples().get(shown, {})
    return Explanation(
        name=line.id,
        title=line.words,
        parts={
            "Section": line.section,
            "Kind": f"{line.kind} ({_KINDS[line.kind]})",
            "Why it matters": check_of(checks[0]).why if checks else "",
            "Repeats": ", ".join(line.repeats),
            "Proven by": groups,
            "Also broken by": ", ".join(ranges(line.others)),
            "To prove it": line.next_step,
            "Beyond a test": line.beyond,
            "Source": PAGE,
            "The examples are those of": shown,
        },
        url=line.help_uri,
        broken=example.get("broken", ""),
        right=example.get("right", ""),
    )


def _checks_of(line: ChecklistLine) -> Iterator[str]:
    """The checks of a line, those that prove it first; of a line that repeats others, theirs."""
    for group in line.proofs:
        yield from group
    yield from line.others
    for id_ in line.repeats:
        yield from _checks_of(CHECKLIST[id_])
