"""The collections: list, get, add, update, remove, and what else a method does to one record.

The rows are made from the collections themselves. A new collection, keyword or member needs no code
here; a new method of a collection needs its sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from mock_server.control.control import Control, ControlCall, Method
from mock_server.control.models import Listing, Parameters, part
from mock_server.control.rows.state.record_models import (
    RECORD_KINDS,
    RecordId,
    filters,
    is_record,
    keywords,
    members,
    value_of,
)
from pytest_turris.core.resources.collection import Collection

FURTHER: dict[tuple[str, str], str] = {
    ("uploads", "enqueue"): "Add an upload of rows, as if their file had been uploaded.",
    ("uploads", "clarify"): "Resolve the ambiguous agency names of an upload, so that it goes on.",
    ("uploads", "cancel"): "Cancel an upload before its rows take effect, as the dashboard does.",
    ("uploads", "fail"): "Let the processing of an upload fail.",
    ("agents", "leave"): "Remove an agent from an association.",
    ("coverages", "receive"): "Let a coverage policy arrive, as if the agency had sent it.",
    ("npns", "occupy"): "Begin an NPN lookup that takes this long; others are refused meanwhile.",
}
"""What else a method of a collection does, with the sentence of the row."""

_OF_ANY: dict[str, str] = {
    "delete": "Delete a record as the API does: it is kept, and marked as deleted.",
    "undelete": "Take back the deletion of a record.",
}


def record_rows() -> Iterator[Control]:
    """The rows of all collections."""
    for name, kind in RECORD_KINDS.items():
        yield from _Rows(name, kind).all()


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one collection."""

    name: str
    kind: type[Collection[Any]]

    def all(self) -> Iterator[Control]:
        yield self._list()
        yield self._get()
        if hasattr(self.kind, "add"):
            yield self._add()
        yield self._update()
        yield self._remove()
        for (name, verb), summary in FURTHER.items():
            if name == self.name:
                yield self._further(verb, summary)
        for verb, summary in _OF_ANY.items():
            yield self._further(verb, summary)

    def _row(self, verb: str, method: Method, path: str, summary: str, **more: Any) -> Control:  # noqa: ANN401 - Control's fields
        noun = self.name.replace("_", "-")
        return Control(
            noun=noun,
            verb=verb,
            method=method,
            path=f"/{noun}{path}",
            summary=summary,
            words=(verb, noun),
            **more,
        )

    def _collection(self, call: ControlCall) -> Any:  # noqa: ANN401 - of any kind
        return call.tenant.sandbox.collection(self.kind)

    def _list(self) -> Control:
        kind = self.kind

        def run(call: ControlCall, given: Parameters) -> Listing[Any]:
            wanted = given.model_dump(exclude={"limit", "offset"}, exclude_none=True)
            own = {name: wanted.pop(name) for name in (*wanted,) if _is_member(kind, name)}
            found = [
                record
                for record in self._collection(call).where(**wanted)
                if all(value_of(record, name, kind) == value for name, value in own.items())
            ]
            return Listing(**part(found, given))

        return self._row(
            "list",
            "GET",
            "",
            f"List the {self.name.replace('_', ' ')} that the filters leave.",
            run=run,
            models=lambda: (filters(self.name), Listing[kind.kind]),  # type: ignore[name-defined] # made at run time
        )

    def _get(self) -> Control:
        return self._row(
            "get",
            "GET",
            "/{id}",
            f"Get {self._one}, with the members that the API does not show.",
            run=lambda call, given: self._collection(call).get(given.id),
            models=lambda: (RecordId, self.kind.kind),
        )

    def _add(self) -> Control:
        return self._row(
            "add",
            "POST",
            "",
            f"Add {self._one}; what is not given is generated.",
            run=lambda call, given: self._collection(call).add(**_given(given)),
            models=lambda: (keywords(self.name, "add"), self.kind.kind),
            status=201,
            rest="*",
        )

    def _update(self) -> Control:
        return self._row(
            "update",
            "PATCH",
            "/{id}",
            f"Change members of {self._one}, all or none.",
            run=lambda call, given: self._collection(call).update(given.id, **_given(given, "id")),
            models=lambda: (members(self.name), self.kind.kind),
            rest="*",
        )

    def _remove(self) -> Control:
        return self._row(
            "remove",
            "DELETE",
            "/{id}",
            f"Remove {self._one}, and what depends on it.",
            run=lambda call, given: self._collection(call).remove(given.id),
            models=lambda: (RecordId, None),
            status=204,
        )

    def _further(self, verb: str, summary: str) -> Control:
        method = getattr(self.kind, verb)
        hints = get_type_hints(method)
        returned = hints.pop("return")
        has_record = any(map(is_record, hints.values()))

        def run(call: ControlCall, given: Any) -> object:  # noqa: ANN401 - of any kind
            collection = self._collection(call)
            records = [collection.get(given.id)] if has_record else []
            return getattr(collection, verb)(*records, **_given(given, "id"))

        result = None if returned is type(None) else self.kind.kind
        return self._row(
            verb,
            "POST",
            f"/{{id}}/{verb}" if has_record else f"/{verb}",
            summary,
            run=run,
            models=lambda: (keywords(self.name, verb), result),
            status=200 if result else 204,
        )

    @property
    def _one(self) -> str:
        letters = self.kind.kind.__name__
        name = "".join(f" {one.lower()}" if one.isupper() else one for one in letters).strip()
        return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _is_member(kind: type[Collection[Any]], name: str) -> bool:
    return name in kind.flat_names or name in kind.kind.model_fields


def _given(given: Parameters, *without: str) -> dict[str, Any]:
    """What was sent, as keywords; models stay models."""
    return {name: getattr(given, name) for name in given.model_fields_set if name not in without}
