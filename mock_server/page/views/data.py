"""The records of every collection as tables; saved states, and the sandbox as a file."""

import json
import re
from typing import Any
from urllib.parse import urlencode

from mock_server.control.rows.state.record_models import RECORD_KINDS
from mock_server.control.table import CONTROLS
from mock_server.control.wire.errors import ControlError
from mock_server.page.forms import control_named, elsewhere, filled_fields, form_given, text_of
from mock_server.page.rendering import download
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit
from pytest_turris.core.wire.messages import Response

_PART = 100
_MOST_COLUMNS = 8
_LONG = 80
_OWN = ("limit", "offset")
_VERBS = ("add", "list", "get", "update")
"""Verbs with a place of their own; all other verbs of a record are buttons in its row."""

_LESS = re.compile(r"ids?$|(created|updated)at$", re.IGNORECASE)
"""Members that the table leaves to the dialog."""

_IDS = ("_id", "id", "uploadId", "npn", "contactId")


def data(visit: Visit) -> Response:
    """All collections with their counts, saved states, import and export."""
    return visit.page(
        "data.html",
        "Data",
        collections=_collections(visit),
        snapshots=visit.ask("snapshots list")["items"],
        steps=visit.ask("history list", limit=20)["items"][::-1] if visit.tenant.kept else None,
    )


def records(visit: Visit, noun: str) -> Response:
    """One collection with its filters."""
    control = _listing(noun)
    problems: tuple[Any, ...] = ()
    messages: tuple[str, ...] = ()
    found: dict[str, Any] = {"total": 0, "items": []}
    offset = visit.query.get("offset", "0")
    try:
        document = form_given(control, {k: v for k, v in visit.query.items() if k not in _OWN})
        if offset.isdecimal():
            document["offset"] = int(offset)
        found = visit.do(control.name, document | {"limit": _PART})
    except ControlError as error:
        problems, messages = error.problems, elsewhere(control, error)
    fields = [one for one in filled_fields(control, visit.query, problems) if one.name not in _OWN]
    return visit.page(
        "records.html",
        noun.replace("-", " ").capitalize(),
        noun=noun,
        collections=_collections(visit),
        fields=fields,
        messages=messages,
        has_filters=any(one.value for one in fields),
        columns=_columns(found["items"]),
        rows=[_row(visit, noun, one) for one in found["items"]],
        total=found["total"],
        older=_older(visit, found),
        verbs=[row.verb for row in CONTROLS.values() if row.noun == noun and not row.in_path],
    )


def record(visit: Visit, noun: str, key: str) -> Response:
    """One record as it is, in the dialog."""
    _listing(noun)
    found = visit.ask(f"{noun} get", id=key)
    return visit.dialog(
        "record.html", "Record", noun=noun, id=key, record=found, verbs=_actions(noun)
    )


def _export(visit: Visit) -> Response:
    """The sandbox as a file, without its secrets."""
    world = visit.ask("snapshots export")
    return download(json.dumps(world, indent=1), f"{visit.tenant.name}.world.json")


ROUTES = (
    Route("GET", "data", data),
    Route("GET", "export", _export),
    Route("GET", "data/{noun}", records),
    Route("GET", "data/{noun}/{key}", record),
)


def _collections(visit: Visit) -> list[tuple[str, int]]:
    sandbox = visit.tenant.sandbox
    return [
        (name.replace("_", "-"), len(sandbox.collection(kind)))
        for name, kind in RECORD_KINDS.items()
    ]


def _listing(noun: str) -> Any:  # noqa: ANN401 - a Control
    if noun.replace("-", "_") not in RECORD_KINDS:
        raise ControlError(404, "There is no such collection.")
    return control_named(f"{noun} list")


def _actions(noun: str) -> list[str]:
    rows = (row for row in CONTROLS.values() if row.noun == noun and "id" in row.in_path)
    return [row.verb for row in rows if row.verb not in _VERBS]


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """The members of a record, those of nested ones by their path."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": one for inner, one in flat(value).items()}
        else:
            found[name] = value
    return found


def _columns(items: list[dict[str, Any]]) -> list[str]:
    """Return the members that differ from record to record."""
    names: dict[str, None] = {}
    for one in map(flat, items):
        names |= {name: None for name, value in one.items() if value not in (None, [], "", False)}
    shown: dict[str, str] = {}
    for name in names:
        if not _LESS.search(name):  # a nested member is left out if its name is taken
            shown.setdefault(name.rpartition(".")[2], name)
    return list(shown.values())[:_MOST_COLUMNS]


def _row(visit: Visit, noun: str, record: dict[str, Any]) -> dict[str, Any]:
    members = flat(record)
    return {"id": id_of(visit, noun, record), "cells": {k: _cell(v) for k, v in members.items()}}


def _cell(value: Any) -> str:  # noqa: ANN401 - JSON data
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else text_of(value)
    return f"{text[:_LONG]}…" if len(text) > _LONG else text


def id_of(visit: Visit, noun: str, record: dict[str, Any]) -> str:
    """The id of a record, which is the key of its collection."""
    collection = visit.tenant.sandbox.collection(RECORD_KINDS[noun.replace("-", "_")])
    members = flat(record)
    found = (text for name, text in members.items() if name.rpartition(".")[2] in _IDS)
    return next((str(text) for text in found if collection.find(str(text))), "")


def _older(visit: Visit, found: dict[str, Any]) -> str:
    offset = int(visit.query["offset"]) if visit.query.get("offset", "").isdecimal() else 0
    if offset + _PART >= found["total"]:
        return ""
    return urlencode({**visit.query, "offset": offset + _PART})
