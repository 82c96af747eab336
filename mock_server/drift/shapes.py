"""Compares the members of a tenant's answers with those of the sandbox: their names and order."""

from collections.abc import Iterator
from typing import Any, get_args

from mock_server.drift.seen import SeenExchanges
from pytest_turris.core.resources.record import WireModel


def differences(seen: SeenExchanges) -> Iterator[str]:
    """Yield one line for each difference. Only names of members are shown, never values."""
    found: dict[str, None] = {}
    for operation, exchange in seen.answers:
        if operation.answer is not None:
            for text in _compared(operation.answer, exchange.data):
                found[f"{operation.method} {operation.path}: {text}"] = None
    yield from found


def _compared(model: type[WireModel], data: object, place: str = "") -> Iterator[str]:
    if isinstance(data, list):
        for item in data:
            yield from _compared(model, item, place)
        return
    if not isinstance(data, dict):
        return
    known = {
        str(field.serialization_alias or field.alias): field
        for name, field in model.model_fields.items()
        if name not in model.internal_fields
    }
    names = [name for name in data if name in known]
    yield from (
        f"`{place}{name}` is a member that the sandbox lacks" for name in data.keys() - known
    )
    if names != [name for name in known if name in data]:
        yield f"the members of {place.rstrip('.') or 'a record'} have another order: " + ", ".join(
            f"`{name}`" for name in names
        )
    for name, field in known.items():
        if name not in data and field.is_required() and name not in _loose(model):
            yield f"`{place}{name}` is missing"
        elif inner := _model_in(field.annotation):
            yield from _compared(inner, data.get(name), f"{place}{name}.")


def _loose(model: type[WireModel]) -> set[str]:
    return {str(model.model_fields[name].alias) for name in model.not_relied_on}


def _model_in(hint: Any) -> type[WireModel] | None:  # noqa: ANN401 - any annotation
    """The one model in an annotation; None for open objects, whose names are values."""
    if isinstance(hint, type) and issubclass(hint, WireModel):
        return hint
    found = [model for one in get_args(hint) if (model := _model_in(one))]
    return found[0] if len(found) == 1 else None
