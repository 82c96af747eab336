"""The values in a snapshot: texts, moments, ids and numbers, each with what it must be.

Moments are checked as text, since a model with dates cannot be built while freezegun runs.
"""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

from pytest_turris.core.clock import ClockError, bounded
from pytest_turris.core.entity.policy_upload.policy_file import REQUIRED
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.wire.model import is_object_id


def is_moment(text: str) -> bool:
    """Whether a text is a moment in ISO 8601 with its time zone, which a clock may show."""
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.tzinfo is not None and bool(bounded(moment))
    except (ClockError, ValueError):
        return False


def _checked_moment(text: str) -> str:
    if not is_moment(text):
        raise PydanticCustomError(
            "moment", "must be a moment in ISO 8601 with its time zone, from 1970 to 9999 in UTC"
        )
    return text


def _checked_id(text: str) -> str:
    if not is_object_id(text):
        raise PydanticCustomError("object_id", "must be an id of 24 hexadecimal digits")
    return text


def _checked_hostile(text: str) -> str:
    from pytest_turris.core.faults.hostile.catalogue import find_answer  # noqa: PLC0415 - it is large

    try:
        one = len(find_answer(text)[1]) == 1
    except UnknownNameError:
        one = False
    if not one:
        raise PydanticCustomError("hostile", "must be a hostile answer with its variant")
    return text


def _checked_upload(row: dict[str, Any]) -> dict[str, Any]:
    """Each row of a file has all required columns; the rest is checked with the record."""
    rows = row.get("rows")
    for one in rows if isinstance(rows, list) else ():
        if isinstance(one, dict) and not one.keys() >= set(REQUIRED):
            raise PydanticCustomError("upload", "each of its rows must have all required columns")
    return row


def _checked_npns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first row says until when a lookup runs; the others are records."""
    first = rows[0] if rows else {}
    until = first.get("busy_until", "")
    is_known = until is None or (isinstance(until, str) and is_moment(until))
    if first.keys() != {"busy_until"} or not is_known:
        raise PydanticCustomError("npns", "the first row must have busy_until, a moment or null")
    return rows


StateText = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Count = Annotated[int, Strict(), Field(ge=0)]
Ordinal = Annotated[int, Strict(), Field(ge=1)]
CallCount = Annotated[int, Strict(), Field(ge=2, le=10_000_000)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
WholeNumber = Annotated[Number, Field(multiple_of=1)]
StateMoment = Annotated[StateText, AfterValidator(_checked_moment)]
IdText = Annotated[StateText, AfterValidator(_checked_id)]
HostileName = Annotated[StateText, AfterValidator(_checked_hostile)]
NpnRows = Annotated[list[dict[str, Any]], AfterValidator(_checked_npns)]
UploadRow = Annotated[dict[str, Any], AfterValidator(_checked_upload)]


def unwritable(value: object) -> str:
    """The place of the first value that JSON in UTF-8 has no form for; empty if there is none.

    A text with half of a surrogate pair, or a number that is not finite, would fail only when it
    is sent or stored.
    """
    if _is_writable(value):
        return ""
    path: list[str] = []
    while (inner := next(_broken(value), None)) is not None:
        path.append(inner[0])
        value = inner[1]
    return ".".join(path) or "snapshot"


def _broken(value: object) -> Iterator[tuple[str, object]]:
    """The members that cannot be written, each with its place."""
    if isinstance(value, dict):
        members = [(str(key), member) for key, member in value.items() if _is_writable(key)]
    elif isinstance(value, list | tuple):
        members = [(str(place), member) for place, member in enumerate(value)]
    else:
        members = []
    return (member for member in members if not _is_writable(member[1]))


def _is_writable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        return False
    return True
