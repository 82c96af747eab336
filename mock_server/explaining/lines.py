"""Every line of the vendor's security page, explained: what proves it, and what breaks it."""

from mock_server.explaining.explanation import Explanation
from pytest_turris.audit.checklist import CHECKLIST, PAGE, ChecklistLine
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
    return Explanation(
        name=line.id,
        title=line.words,
        parts={
            "Section": line.section,
            "Kind": f"{line.kind} ({_KINDS[line.kind]})",
            "Repeats": ", ".join(line.repeats),
            "Proven by": groups,
            "Also broken by": ", ".join(ranges(line.others)),
            "To prove it": line.next_step,
            "Beyond a test": line.beyond,
            "Source": PAGE,
        },
        url=line.help_uri,
    )
