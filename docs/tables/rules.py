"""The rules and the hostile answers as Markdown tables, for the documentation."""

from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.answer import Variant
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE


def rules_table() -> str:
    """Each rule with its level, what the test has to give, the usual bug and the source."""
    lines = ["| Id | Rule | Level | Needs | The usual bug | Source |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {rule.id} | {rule.title} | {rule.level} | {rule.needs or '-'} "
        f"| {rule.usual_bug} | {rule.source} |"
        for rule in RULES.values()
    ]
    return "\n".join(lines) + "\n"


def answers_table() -> str:
    """Each hostile answer with its variants and what a client is to do about it."""
    lines = ["| Id | Answer | Variants | Expected | Level |", "|---|---|---|---|---|"]
    for answer in CATALOGUE.values():
        variants = ", ".join(_named(variant) for variant in answer.variants)
        lines.append(
            f"| {answer.id} | {answer.title} | {variants} | {answer.expects} | {answer.level} |"
        )
    return "\n".join(lines) + "\n"


def _named(variant: Variant) -> str:
    return f"`{variant.name}`" + (" (socket)" if variant.over == "socket" else "")
