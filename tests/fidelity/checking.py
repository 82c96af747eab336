"""Holds a fact against the sandbox; and makes each fact wrong, to see that its check fails."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fidelity import convention_checks, operation_checks, record_checks, webhook_checks
from fidelity.specification import Fact, Table
from fidelity.world import World

CHECKS: dict[str, Callable[[World, Fact], None]] = {
    **operation_checks.CHECKS,
    **convention_checks.CHECKS,
    **record_checks.CHECKS,
    **webhook_checks.CHECKS,
}
_KEPT = frozenset(
    {
        *("member", "order", "value", "operation id", "tag", "word", "nothing_said"),
        *("event", "event envelope", "event member", "event order", "event value"),
    }
)
"""Kinds whose check changes nothing that another fact could see."""


def problem(world: World, fact: Fact) -> str:
    """Why a fact does not hold; empty if it does. The state is as before."""
    before = None if fact.kind in _KEPT else world.sandbox.snapshot()
    try:
        CHECKS[fact.kind](world, fact)
    except (AssertionError, LookupError) as error:
        return f"{fact}\n    {type(error).__name__}: {str(error)[:300]}"
    finally:
        if before is not None:
            world.restore(before)
    return ""


def wrong(fact: Fact) -> Fact:
    """The fact with something else than what is documented."""
    says = fact.says
    change = _WRONG.get(fact.kind) or _by_member(says)
    if fact.kind == "unlimited":
        return replace(fact, request="POST /v1/agents")
    return replace(fact, says=says | change(says))


def _by_member(says: Table) -> Callable[[Table], Table]:
    for name in ("status", "holds", "order", "calls", "seconds", "bytes", "most"):
        if name in says:
            return lambda given: {name: _other(given[name])}
    return lambda _: {"holds": False}


def _other(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 60
    if isinstance(value, list):
        return value[::-1] if len(value) > 1 else ["shoeSize"]
    return f"{value}x" if isinstance(value, str) else None


def _named(name: str) -> Callable[[Table], Table]:
    return lambda says: {name: _other(says[name])}


def _header(says: Table) -> Table:
    return {"absent": False, "value": "x"} if says.get("absent") else {"value": "x"}


_WRONG: dict[str, Callable[[Table], Table]] = {
    "operation id": _named("id"),
    "tag": _named("tag"),
    "path parameter": lambda _: {"name": "shoeSize"},
    "required": lambda _: {"name": "shoeSize"},
    "optional": lambda _: {"name": "shoeSize", "example": "44"},
    "type": lambda says: {"type": "flag" if says["type"] == "text" else "text"},
    "filter": lambda _: {"name": "shoeSize"},
    "enum": _named("value"),
    "other value": lambda _: {"status": 200},
    "excludes": lambda _: {"status": 200},
    "needs both": lambda _: {"status": 400},
    "envelope": _named("order"),
    "member": lambda says: {"path": f"{says['path']}x"},
    "replayed": _named("header"),
    "condition": lambda _: {"member": "externalId"},
    "value": _named("is"),
    "token_header": _named("is"),
    "accepted": lambda says: {"query": f"{says['query']}&shoeSize=44"},
    "error_member": lambda _: {"member": "shoeSize number"},
    "header": _header,
    "pattern": _named("regex"),
    "column": lambda says: {"unknown" if "unknown" in says else "required": "insuredEntityName"},
    "cell": _named("value"),
    "upload": _named("status"),
    "event": _named("type"),
    "event debounced": _named("debounced"),
    "event member": lambda says: {"path": f"{says['path']}x"},
    "event value": _named("is"),
    "word": _named("word"),
    "delivery": _named("is"),
    "answered": _named("delivered"),
    "nothing_said": lambda _: {"member": "statusName"},
}
"""How a fact of each kind is made wrong, where it is not by its status or its first figure."""
