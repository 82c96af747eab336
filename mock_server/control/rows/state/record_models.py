"""The models of the parameters about records, made from the collections themselves."""

import datetime as dt
import inspect
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import Field, create_model
from pydantic.alias_generators import to_pascal

from mock_server.control.models import Duration, Moment, Parameters, Part
from pytest_turris.core.entity.records import CollectionAttribute, Collections
from pytest_turris.core.resources.collection import Collection
from pytest_turris.core.resources.record import Record

RECORD_KINDS: dict[str, type[Collection[Any]]] = {
    name: member.kind
    for name, member in vars(Collections).items()
    if isinstance(member, CollectionAttribute)
}
"""The collections by the name of their attribute."""

_OWN_IDS = {"uploads": "upload_id", "npns": "npn", "contacts": "contact_id"}
"""The member of a record that is its id, where it is not called ``id``."""

_ID = Annotated[str, Field(min_length=1, max_length=200, description="The id of the record.")]
_PLAIN = (str, bool, int, float, dt.datetime)
_NOTHING = type(None)


class RecordId(Parameters):
    """Which record."""

    id: _ID


def filters(name: str) -> type[Parameters]:
    """The filters of a list: the collection's indexes, and each plain member of the record."""
    kind = RECORD_KINDS[name]
    found: dict[str, Any] = dict.fromkeys(kind.indexes, (str | None, None))
    found |= {
        member: (plain | None, None)
        for member, hint in _hints(kind).items()
        if (plain := _plain(hint)) is not None
    }
    return _model(name, "filters", found, Part)


def members(name: str) -> type[Parameters]:
    """What ``update`` can change.

    Left out are the id, lists that the collection keeps for itself, and nested models whose
    members have flat names.
    """
    kind, hints = RECORD_KINDS[name], _hints(RECORD_KINDS[name])
    nested = {model for model, _ in kind.flat_names.values()}
    lists = {key for key in kind.kind.internal_fields if _has_many(hints[key])}
    fixed = {_OWN_IDS.get(name, "id")} | nested | lists
    found: dict[str, Any] = {"id": (_ID, ...)}
    found |= {key: (hint, None) for key, hint in hints.items() if key not in fixed}
    return _model(name, "update", found)


def keywords(name: str, verb: str) -> type[Parameters]:
    """Return the keywords of a method of a collection; a record is given by its id.

    If the record has a text member of the same name, its rules apply to the keyword too, such as a
    choice.
    """
    kind = RECORD_KINDS[name]
    method = getattr(kind, verb)
    hints, known = get_type_hints(inspect.unwrap(method)), _hints(kind)
    found: dict[str, Any] = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        hint = hints[parameter.name]
        if is_record(hint):
            found["id"] = (_ID, ...)
            continue
        hint = _refined(hint, known.get(parameter.name))
        is_required = parameter.default is parameter.empty
        found[parameter.name] = (hint, ... if is_required else _default(parameter.default))
    return _model(name, verb, found)


def value_of(record: Record, name: str, kind: type[Collection[Any]]) -> Any:  # noqa: ANN401 - any member
    """The value of a member or of a flat name."""
    if name in kind.flat_names:
        model, member = kind.flat_names[name]
        return getattr(getattr(record, model), member)
    return getattr(record, name)


def _hints(kind: type[Collection[Any]]) -> dict[str, Any]:
    """The members of a record and its flat names, with their types and rules."""
    fields = kind.kind.model_fields
    found = {name: _hint(fields[name]) for name in fields}
    for flat, (model, member) in kind.flat_names.items():
        nested: Any = fields[model].annotation
        found[flat] = _hint(nested.model_fields[member])
    return found


def _hint(field: Any) -> Any:  # noqa: ANN401 - pydantic's FieldInfo; a hint
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _refined(own: Any, of_record: Any) -> Any:  # noqa: ANN401 - hints
    """A keyword's type as JSON says it; a plain text has the rules of the record's text."""
    texts = [one for one in _leaves(own) if one is not _NOTHING] == [str]
    if of_record is None or not texts or not all(map(_is_text, _leaves(of_record))):
        return _in_json(own)
    return of_record | None if _NOTHING in _leaves(own) else of_record


def _in_json(hint: Any) -> Any:  # noqa: ANN401 - hints
    """A hint with lists for iterables, models where a dict would do, and zones for moments."""
    if hint in (dt.datetime, dt.timedelta):
        return Moment if hint is dt.datetime else Duration
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [one for one in get_args(hint) if get_origin(one) is not dict]
        return Union[*map(_in_json, kinds)]
    if _is_many(hint):
        return list[_in_json(get_args(hint)[0])]  # type: ignore[misc] # made at run time
    return hint


def _leaves(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - hints
    """The types in a union or a list."""
    if get_origin(hint) in (Union, types.UnionType) or _is_many(hint):
        for one in get_args(hint):
            yield from _leaves(one)
    else:
        yield hint


def _is_many(hint: Any) -> bool:  # noqa: ANN401 - hints
    return get_origin(hint) in (list, Iterable)


def _is_text(hint: Any) -> bool:  # noqa: ANN401 - hints
    if get_origin(hint) is Literal:
        return True
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return plain in (str, _NOTHING) or get_origin(plain) is Literal


def is_record(hint: Any) -> bool:  # noqa: ANN401 - hints
    """Whether a parameter is a record, which a caller names by its id."""
    # The methods that all collections share name the record by a variable.
    kinds = [one.__bound__ if isinstance(one, TypeVar) else one for one in _leaves(hint)]
    return any(isinstance(one, type) and issubclass(one, Record) for one in kinds)


def _plain(hint: Any) -> Any:  # noqa: ANN401 - hints
    """The type of a filter, or None if the member is not a plain value."""
    leaves = [one for one in _leaves(hint) if one is not _NOTHING]
    plain = [get_args(one)[0] if get_origin(one) is Annotated else one for one in leaves]
    fits = all(one in _PLAIN or get_origin(one) is Literal for one in plain)
    return Union[*leaves] if fits and not _has_many(hint) else None


def _has_many(hint: Any) -> bool:  # noqa: ANN401 - hints
    return _is_many(hint) or any(map(_has_many, get_args(hint)))


def _default(value: object) -> Any:  # noqa: ANN401 - of any type
    return Field(default_factory=lambda: list(value)) if isinstance(value, tuple) else value


def _model(
    name: str, verb: str, fields: dict[str, Any], base: type[Parameters] = Parameters
) -> type[Parameters]:
    """A model whose members are called in JSON as those of the record are, such as ``inUSD``."""
    own = RECORD_KINDS[name].kind.model_fields
    named = {
        key: (Annotated[hint, Field(alias=own[key].alias)], default)
        for key, (hint, default) in fields.items()
        if key in own and own[key].alias != "_id"
    }
    return create_model(to_pascal(f"{name}_{verb}"), __base__=base, **fields | named)
