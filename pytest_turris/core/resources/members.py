"""Checks the members of a record from a test, a call or a snapshot: known, and of their type."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, ParamSpec, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json

from pytest_turris.core.resources.record import Record, RecordError
from pytest_turris.core.text.names import did_you_mean

P = ParamSpec("P")
R = TypeVar("R", bound=Record)
T = TypeVar("T")

_SHOWN = 80
"""How many characters of a wrong word a message shows."""


def suggest_keywords(add: Callable[P, T]) -> Callable[P, T]:
    """Answer a misspelt keyword of an ``add`` with the nearest one, as a RecordError."""
    known = tuple(inspect.signature(add).parameters)[1:]

    @functools.wraps(add)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        refuse_unknown(add.__qualname__, kwargs, known)
        return add(*args, **kwargs)

    return checked


def refuse_unknown(where: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise a RecordError that names the first unknown member, and the nearest known one."""
    for name in given:
        if name not in known:
            raise RecordError(f"{where} has no member {name!r}{did_you_mean(name, known)}")


def record_of(kind: type[R], members: Mapping[str, Any]) -> R:
    """Make a record.

    Raises:
        RecordError: A member is unknown or does not fit; the message names each.
    """
    return _checked(kind, members, kind.model_validate)


def restored_record(kind: type[R], row: Mapping[str, Any]) -> R:
    """Make a record of a snapshot's JSON data, in which each value has exactly its type.

    Raises:
        RecordError: A member is unknown or does not fit; the message names each.
    """
    # Strictly, but as JSON, which has lists for sets and texts for moments.
    return _checked(kind, row, lambda _: kind.model_validate_json(to_json(row), strict=True))


def _checked(kind: type[R], members: Mapping[str, Any], make: Callable[[Any], R]) -> R:
    refuse_unknown(kind.__name__, members, kind.model_fields)
    try:
        return make(members)
    except ValidationError as error:
        rows = error.errors(include_url=False)
        messages = "; ".join(f"{'.'.join(map(str, row['loc']))}: {_why(row)}" for row in rows)
        raise RecordError(f"{kind.__name__}: {messages}") from None


def _why(row: ErrorDetails) -> str:
    """What is wrong with one value, which is shown only where a fixed set is expected."""
    if row["type"] != "literal_error":
        return row["msg"]
    word = repr(row["input"])[:_SHOWN]
    return f"{word} is not one of {row['ctx']['expected'].replace(' or ', ', ')}"


def nested(
    record: Record, members: Mapping[str, Any], flat_names: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """The members with each flat keyword in the nested model that it names.

    Args:
        record: What has the other members of the nested models.
        members: The members that change.
        flat_names: The nested model and its member by keyword: ``{"npn": ("agent", "npn")}``.
    """
    changes: dict[str, Any] = {}
    for name, value in members.items():
        if name not in flat_names:
            changes[name] = value
            continue
        model, member = flat_names[name]
        changes.setdefault(model, dict(getattr(record, model)))[member] = value
    return changes
