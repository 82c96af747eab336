"""What the members of a JSON document are like: where they stand, their types, their order."""

import re
from collections.abc import Iterator
from typing import Any

from pytest_turris.core.wire.model import is_object_id

_TOKEN = re.compile(r"\[\]|[^.\[\]]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def values_at(path: str, document: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """The values at a path such as ``[].agent.npn``; members that are missing give none."""
    found = [document]
    for token in _TOKEN.findall(path):
        found = list(_step(token, found))
    return found


def check_member(document: Any, path: str, kind: str) -> None:  # noqa: ANN401 - any JSON value
    """Some object has the member, and all that have it have a value of its type."""
    values = values_at(path, document)
    assert values, f"nothing at {path}"
    for value in values:
        assert fits(kind, value), f"{path} is {value!r}, which is no {kind}"


def check_order(document: Any, path: str, order: list[str], *, whole: bool) -> None:  # noqa: ANN401 - any JSON value
    """Each object has its members in the order; one has all of them, and no other if ``whole``."""
    objects = values_at(path, document)
    assert objects, f"nothing at {path}"
    for one in objects:
        wanted = [name for name in order if name in one]
        assert [name for name in one if name in order] == wanted, f"{path}: {list(one)}"
        assert not whole or set(one) <= set(order), f"{path}: {list(one)}"
    fullest = max(objects, key=lambda one: len(set(one) & set(order)))
    assert set(order) <= set(fullest), f"{path}: {list(fullest)}"


def fits(kind: str, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a value is of a type."""
    if kind.startswith("["):
        return isinstance(value, list) and all(fits(kind[1:-1], one) for one in value)
    is_text = isinstance(value, str)
    return {
        "text": lambda: is_text,
        "number": lambda: isinstance(value, int | float) and not isinstance(value, bool),
        "flag": lambda: isinstance(value, bool),
        "id": lambda: is_text and is_object_id(value),
        "date": lambda: is_text and _DATE.fullmatch(value) is not None,
        "state": lambda: is_text and re.fullmatch("[A-Z]{2}", value) is not None,
    }.get(kind, lambda: isinstance(value, dict))()


def _step(token: str, found: list[Any]) -> Iterator[Any]:
    for value in found:
        if token == "[]":
            assert isinstance(value, list), f"{value!r} is no list"
            yield from value
        elif isinstance(value, dict) and token in value:
            yield value[token]
