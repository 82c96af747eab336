"""Every check with an id, explained: attacks, rules, hostile answers, checks of the audit."""

import json
from functools import cache
from importlib import resources

from mock_server.explaining.explanation import Explanation
from pytest_turris.audit.families import family
from pytest_turris.findings.check import Check

_LEVELS = {
    "must": "a finding fails the test",
    "should": "a finding is a warning",
    "info": "a finding is only noted",
}


def check_explanations(prefix: str) -> dict[str, Explanation]:
    """Each check of one kind by its id.

    Args:
        prefix: How their ids begin, such as ``WH``.
    """
    return {id_: explained(check) for id_, check in family(prefix).items()}


def explained(check: Check) -> Explanation:
    """A check in words, with its examples."""
    example = examples().get(check.id, {})
    return Explanation(
        name=check.id,
        title=check.title,
        parts={
            "What it does": check.does,
            # Attacks and hostile answers say what they expect; a rule's title says it.
            "Expected": getattr(check, "wants", "") or getattr(check, "expects", ""),
            "Why it matters": check.why,
            "The usual bug": getattr(check, "usual_bug", ""),
            "Fix": check.fix,
            "Level": f"{check.level} ({_LEVELS[check.level]})",
            "Source": check.source,
        },
        url=check.help_uri,
        broken=example.get("broken", ""),
        right=example.get("right", ""),
        # What is scanned is the files of a frontend.
        language="text" if check.id.startswith("FE") else "python",
    )


@cache
def examples() -> dict[str, dict[str, str]]:
    """The code of the examples by id: receivers, clients and files of the project's own tests.

    ``make docs`` writes the file. The tests run each broken one, and its check catches it.
    """
    text = resources.files("mock_server.explaining").joinpath("examples.json").read_text("utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found
