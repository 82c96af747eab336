"""The rules, the hostile answers, and the clients that they catch."""

from dataclasses import replace

from doubles.clients import registry

from mock_server.explaining.checks import explained
from pytest_turris.conformance.hostile.check import CHECKS
from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.answer import Variant
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.findings.check import Check


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
    return "\n".join(_section(rule, {"Needs": rule.needs}) for rule in RULES.values())


def answers_sections() -> str:
    """A section for each hostile answer."""
    return "\n".join(
        _section(check, {"Variants": ", ".join(map(_named, check.answer.variants))})
        for check in CHECKS.values()
    )


def _section(check: Check, more: dict[str, str]) -> str:
    found = explained(check)
    title = {"Title": f"{check.title[0].upper()}{check.title[1:]}."}
    return replace(found, parts=title | found.parts | more).as_markdown(check.id)


def _named(variant: Variant) -> str:
    return f"`{variant.name}`" + (" (socket)" if variant.transport == "socket" else "")
