"""The rules, the hostile answers, and the clients that they catch."""

from doubles.clients import broken_clients, fragile_clients

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
        f"| {rule.id} | {rule.title} | {rule.level} | {rule.needs or '-'} "
        f"| {rule.usual_bug} | {rule.source} |"
        for rule in RULES.values()
    ]
    return "\n".join(lines) + "\n"


def answers_table() -> str:
    """Each hostile answer with its variants and what a client should do."""
    lines = ["| Id | Answer | Variants | Expected | Level |", "|---|---|---|---|---|"]
    for answer in CATALOGUE.values():
        variants = ", ".join(_named(variant) for variant in answer.variants)
        lines.append(
            f"| {answer.id} | {answer.title} | {variants} | {answer.expects} | {answer.level} |"
        )
    return "\n".join(lines) + "\n"


def caught_table() -> str:
    """Each rule and hostile answer with the broken client that proves that it catches."""
    lines = ["| Id | The client that it catches |", "|---|---|"]
    caught_by = (
        broken_clients.BROKEN
        | fragile_clients.HELPLESS
        | fragile_clients.RAW
        | fragile_clients.ALSO_HELPLESS
    )
    for name, client in caught_by.items():
        text = " ".join((client.__doc__ or "").split()).partition(": ")[2]
        lines.append(f"| {name} | `{client.__name__}`{': ' if text else ''}{text} |")
    return "\n".join(lines) + "\n"


def _named(variant: Variant) -> str:
    return f"`{variant.name}`" + (" (socket)" if variant.over == "socket" else "")
