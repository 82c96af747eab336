"""Reads the documented facts in ``facts/*.toml``, written from the vendor's pages, not the code.

One table of an operation becomes many facts: each of its parameters, members, orders and refusals
is one. In ``members`` stands ``name type``. A type is ``text``, ``number``, ``flag``, ``object``,
``id`` (24 hexadecimal digits), ``date`` (ISO 8601, in UTC, with milliseconds), ``state`` (a code of
two letters), the name of an ``[object.NAME]``, or one of these in brackets for a list. In ``query``
and ``body`` stands ``name!`` if it is required, or ``name?``, and an example. ``@name`` is a value
of the arranged sandbox. ``whole = true``: there are no other members.
"""

import itertools
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "facts"
Table = dict[str, Any]


@dataclass(frozen=True)
class Fact:
    """One documented fact: its kind, the page that says so, the request, and what is said."""

    kind: str
    page: str
    request: str = ""
    says: Table = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.says.items())
        return f"{self.kind}: {' '.join(filter(None, (self.request, said)))}  [{self.page}]"


@cache
def facts() -> tuple[Fact, ...]:
    """Every documented fact."""
    tables = _tables()
    objects = tables.pop("object")
    return tuple(
        itertools.chain.from_iterable(
            _facts_of(kind, dict(row), objects) for kind, rows in tables.items() for row in rows
        )
    )


def samples() -> dict[str, set[str]]:
    """The members that the sample of each object has, by the object's name."""
    objects: Table = _tables()["object"]
    return {name: {member.split()[0] for member in one["members"]} for name, one in objects.items()}


def _tables() -> Table:
    """The tables of all files, with the rows of one name together."""
    tables: Table = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for name, value in tomllib.loads(path.read_text()).items():
            if name == "object":
                tables.setdefault(name, {}).update(value)
            else:
                tables.setdefault(name, []).extend(value)
    return tables


def pages() -> list[str]:
    """The pages that the facts come from."""
    return sorted({fact.page for fact in facts()})


def _facts_of(kind: str, row: Table, objects: Table) -> Iterator[Fact]:
    if kind == "operation":
        yield from _operation(row, objects)
    elif kind == "event":
        yield from _event(row, objects)
    elif kind in _LISTS:
        name, of_one = _LISTS[kind]
        page, request, values = row.pop("page"), row.pop("request", ""), row.pop(name)
        yield from (Fact(kind, page, request, row | {of_one: value}) for value in values)
    else:
        yield Fact(kind, row.pop("page"), row.pop("request", ""), row)


_LISTS = {
    "cell": ("values", "value"),
    "word": ("words", "word"),
    "upload": ("statuses", "status"),
    "error_member": ("members", "member"),
}
"""Kinds of which a table has several facts: the member with them, and its name in one."""


def _operation(row: Table, objects: Table) -> Iterator[Fact]:
    page, request = row["page"], row["request"]

    def fact(kind: str, **says: Any) -> Fact:  # noqa: ANN401 - any JSON value
        return Fact(kind, page, request, says)

    yield from _identity(row, fact)
    yield from _inputs(row, fact)
    yield from _rules(row, fact)
    yield from _answers(row, fact)
    for kind, says in _members("", row.get("answer", ""), objects):
        yield fact(kind, **says)


def _identity(row: Table, fact: Any) -> Iterator[Fact]:  # noqa: ANN401 - the callable above
    yield fact("status", status=row.get("status", 200))
    if not row.get("public"):
        yield fact("needs token", status=401)
    if "operation_id" in row:
        yield fact("operation id", id=row["operation_id"])
        yield fact("tag", tag=row["tag"])
    if "{" in row["request"]:
        yield fact("path parameter", name=row["request"].partition("{")[2].partition("}")[0])


def _answers(row: Table, fact: Any) -> Iterator[Fact]:  # noqa: ANN401 - the callable above
    if row.get("deprecated"):
        for name, value in _DEPRECATION.items():
            yield fact("header", name=name, value=value)
    for status in row.get("errors", ()):
        yield fact("error", status=status)
    if row.get("empty"):
        yield fact("empty", bytes=0)
    elif not row.get("bare"):
        yield fact("envelope", order=["data", "requestId", "timestamp"])


_DEPRECATION = {
    "Deprecation": "true",
    "Sunset": "Sat, 01 Jan 2027 00:00:00 GMT",
    "Link": '<https://docs.turrisfi.com/migration>; rel="deprecation"',
}
"""Of every deprecated operation (guides/versioning)."""


def _inputs(row: Table, fact: Any) -> Iterator[Fact]:  # noqa: ANN401 - the callable above
    for text in row.get("query", ()):
        name, _, example = text.partition(" ")
        yield fact(_need(name), place="query", name=name[:-1], example=example)
    for text in row.get("body", ()):
        name, kind, example = text.split(" ", 2)
        yield fact(_need(name), place="body", name=name[:-1], example=json.loads(example))
        yield fact("type", name=name[:-1], type=kind)
    for name in row.get("form", ()):
        yield fact(_need(name), place="form", name=name[:-1])
    for name in row.get("headers", ()):
        yield fact("replayed", header=name)


def _rules(row: Table, fact: Any) -> Iterator[Fact]:  # noqa: ANN401 - the callable above
    for pair in row.get("excludes", ()):
        yield fact("excludes", pair=pair, status=400)
    for pair in row.get("needs_both", ()):
        yield fact("needs both", pair=pair, status=200)
    for name in row.get("filters", ()):
        yield fact("filter", name=name)
    for place in ("query_enums", "enums", "form_enums"):
        for text in row.get(place, ()):
            name, _, values = text.partition(": ")
            for value in values.split(" | "):
                yield fact("enum", place=_PLACES[place], name=name, value=value)
            yield fact("other value", place=_PLACES[place], name=name, value="another", status=400)


_PLACES = {"query_enums": "query", "enums": "body", "form_enums": "form"}


def _need(name: str) -> str:
    return {"!": "required", "?": "optional"}[name[-1]]


def _members(path: str, kind: str, objects: Table) -> Iterator[tuple[str, Table]]:
    """The members of an object, and of those in it, each with its type, and their order."""
    if kind.startswith("["):
        path, kind = f"{path}[]", kind[1:-1]
    if kind not in objects:
        return
    members = [text.split(" ", 1) for text in objects[kind]["members"]]
    names = [name for name, _ in members]
    yield "order", {"path": path, "order": names, "whole": objects[kind].get("whole", False)}
    for name, of in members:
        inner = f"{path}.{name}" if path else name
        yield "member", {"path": inner, "type": of if of not in objects else "object"}
        yield from _members(inner, of, objects)


def _event(row: Table, objects: Table) -> Iterator[Fact]:
    page, kind = row["page"], row["type"]
    yield Fact("event", page, "", {"type": kind})
    yield Fact("event envelope", page, "", {"type": kind, "order": _EVENT})
    yield Fact("event debounced", page, "", {"type": kind, "debounced": row["debounced"]})
    for what, says in _members("", row["payload"], objects):
        if what == "member":
            says["type of"] = says.pop("type")
        yield Fact(f"event {what}", page, "", {"type": kind} | says)
    for path, value in row.get("values", {}).items():
        yield Fact("event value", page, "", {"type": kind, "path": path, "is": value})


_EVENT = ["webhookType", "upstreamEntityId", "payload"]
