"""The rules, the hostile answers, and the clients that they catch."""

from collections.abc import Iterable

from doubles.clients import registry

from pytest_turris.conformance.hostile_check import HostileCheck
from pytest_turris.conformance.rule import Rule
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.answer import Variant
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE


def as_markdown() -> str:
    """The three tables, each with its heading."""
    return (
        f"## The rules\n\n{rules_table()}\n## The hostile answers\n\n{answers_table()}\n"
        "## What catches what\n\nEach good client (httpx sync and async, requests, aiohttp) passes "
        f"all; each of these is caught by its id.\n\n{caught_table()}"
    )


def rules_table() -> str:
    """Each rule with its level, the parameter that it needs, the usual bug and the source."""
    lines = ["| Id | Rule | Level | Needs | The usual bug | Source |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {rule.id} | [{rule.title}](../reference/token-rules.md#{rule.id.lower()}) "
        f"| {rule.level} | {rule.needs or '-'} | {rule.usual_bug} | {rule.source} |"
        for rule in RULES.values()
    ]
    return "\n".join(lines) + "\n"


def answers_table() -> str:
    """Each hostile answer with its variants and what a client should do."""
    lines = ["| Id | Answer | Variants | Expected | Level |", "|---|---|---|---|---|"]
    for answer in CATALOGUE.values():
        variants = ", ".join(_named(variant) for variant in answer.variants)
        link = f"../reference/hostile-answers.md#{answer.id.lower()}"
        lines.append(
            f"| {answer.id} | [{answer.title}]({link}) | {variants} | {answer.expects} "
            f"| {answer.level} |"
        )
    return "\n".join(lines) + "\n"


def caught_table() -> str:
    """Each rule and hostile answer with the broken client that proves that it catches."""
    lines = ["| Id | The client that it catches |", "|---|---|"]
    caught_by = registry.BROKEN | registry.FRAGILE | registry.RAW | registry.ALSO_FRAGILE
    for name, client in caught_by.items():
        text = " ".join((client.__doc__ or "").split()).partition(": ")[2]
        lines.append(f"| {name} | `{client.__name__}`{': ' if text else ''}{text} |")
    return "\n".join(lines) + "\n"


def rules_sections() -> str:
    """A section for each rule."""
    return _joined(_rule_section(rule) for rule in RULES.values())


def answers_sections() -> str:
    """A section for each hostile answer."""
    return _joined(_answer_section(HostileCheck(answer)) for answer in CATALOGUE.values())


def _rule_section(rule: Rule) -> list[str]:
    needs = f", needs {rule.needs}" if rule.needs else ""
    return [
        f"## {rule.id}", "", f"**{rule.title}.** {rule.does}", "",
        f"- Otherwise: {rule.why}",
        f"- Fix: {rule.fix}",
        f"- The usual bug: {rule.usual_bug}.",
        f"- Level `{rule.level}`{needs}. Source: {rule.source}.",
    ]  # fmt: skip


def _answer_section(check: HostileCheck) -> list[str]:
    variants = ", ".join(_named(variant) for variant in check.answer.variants)
    return [
        f"## {check.id}", "", f"**{check.title[0].upper()}{check.title[1:]}.**", "",
        f"- Expected: {check.answer.expects}.",
        f"- Otherwise: {check.why}",
        f"- Fix: {check.fix}",
        f"- Variants: {variants}.",
        f"- Level `{check.level}`. Source: {check.source}.",
    ]  # fmt: skip


def _joined(sections: Iterable[list[str]]) -> str:
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _named(variant: Variant) -> str:
    return f"`{variant.name}`" + (" (socket)" if variant.transport == "socket" else "")
