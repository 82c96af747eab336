"""All checks that the audit knows, its own and those of the other wings, by id.

Nothing is imported before it is asked for: some of the checks need the whole kit.
"""

from collections.abc import Iterable
from functools import cache
from importlib import import_module

from pytest_turris.findings.check import Check

FAMILIES = {
    "WH": "pytest_turris.attacks.catalogue:ATTACKS",
    "TC": "pytest_turris.conformance.rules:RULES",
    "AR": "pytest_turris.conformance.hostile.check:CHECKS",
    **dict.fromkeys(("RQ", "LK", "AU", "DR", "VW", "FE"), "pytest_turris.audit.checks:OWN"),
}
"""How the ids of each kind of check begin, and where its checks are. A new kind adds one line."""


def check_of(id_: str) -> Check:
    """The check with an id.

    Raises:
        KeyError: There is none.
    """
    return family(id_.partition("-")[0])[id_]


@cache
def family(prefix: str) -> dict[str, Check]:
    """The checks of one kind by id; only their modules are imported.

    Args:
        prefix: How their ids begin, such as ``WH``.

    Raises:
        KeyError: There is no such kind.
    """
    module, _, name = FAMILIES[prefix].partition(":")
    found: Iterable[Check] | dict[str, Check] = getattr(import_module(module), name)
    checks = found.values() if isinstance(found, dict) else found
    return {check.id: check for check in checks if check.id.startswith(prefix)}


@cache
def all_checks() -> dict[str, Check]:
    """All checks by id: the audit's, the attacks, the rules for clients, the hostile answers."""
    return {id_: check for prefix in FAMILIES for id_, check in family(prefix).items()}
