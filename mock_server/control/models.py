"""What the models of parameters and results share: camelCase in JSON, durations, moments."""

import datetime as dt
import re
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from pytest_turris.core.wire.building import ModelBuilding
from pytest_turris.core.wire.model import Timestamp

T = TypeVar("T")

_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_MOST_SECONDS = 1e11
_MOST_TEXT = 64


class Parameters(BaseModel):
    """The parameters of a control, by their names in JSON."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel, defer_build=ModelBuilding.is_deferred
    )
    members_in_words: ClassVar[str] = ""
    """What a member must be, if there are too many to list them."""
    takes_snake_case: ClassVar[bool] = False
    """Whether its members may also be named as in Python, such as ``token_ttl``."""


class Result(BaseModel):
    """The result of a control."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        from_attributes=True,
        defer_build=ModelBuilding.is_deferred,
    )


class Nothing(Parameters):
    """No parameters."""


class Listing(Result, Generic[T]):
    """A part of a list; ``total`` counts all entries that the filters leave."""

    total: int
    items: list[T]


class Counted(Result):
    """How many entries a control changed or dropped."""

    count: int


_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_HEADER = r"^[\t\x20-\x7e\x80-\xff]*$"
_HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
FORMS: dict[str, str] = {
    _NAME: (
        "at most 64 letters from a to z, digits, dots, hyphens and underscores, of which the first "
        "is a letter or digit"
    ),
    _HEADER: "a text that a header can have: Latin-1 without control characters",
    _HEADER_NAME: "the name of a header: letters, digits and some marks, such as hyphens",
}
"""What a text must be that fits an expression, in words."""

Name = Annotated[str, Field(pattern=_NAME)]
"""A name that a user gives: letters, digits, dots, hyphens and underscores. Never a path."""

HeaderText = Annotated[str, Field(max_length=2_000, pattern=_HEADER)]
HeaderName = Annotated[str, Field(max_length=100, pattern=_HEADER_NAME)]


def _read_duration(value: object) -> object:
    if isinstance(value, dt.timedelta):
        return value
    if isinstance(value, str) and len(value) <= _MOST_TEXT:
        if _DURATION.fullmatch(value):
            value = sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(value))
        elif re.fullmatch(r"\d{1,12}(\.\d{1,6})?", value):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_a_duration()
    if not 0 <= value <= _MOST_SECONDS:
        raise _not_a_duration()
    return dt.timedelta(seconds=value)


def _not_a_duration() -> PydanticCustomError:
    return PydanticCustomError("duration", "a duration: seconds, or text such as 56m or 1h30m")


Duration = Annotated[
    dt.timedelta,
    BeforeValidator(_read_duration),
    PlainSerializer(lambda value: value.total_seconds(), return_type=float),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": f"^{_DURATION.pattern}$"},
            ],
            "examples": [90, "250ms", "56m", "1h30m"],
            "x-kind": "duration",
        },
        mode="validation",
    ),
]
"""A duration: seconds, or text such as ``56m``. Results have seconds."""

Moment = Timestamp
"""A point in time with its zone; results are in UTC with milliseconds, as Turris writes them."""


def no_time(description: str, *, at_most: dt.timedelta | None = None) -> Any:  # noqa: ANN401 - pydantic's FieldInfo
    """The field of a duration that has no default."""
    return Field(
        dt.timedelta(0), description=description, le=at_most, json_schema_extra={"default": 0}
    )


Limit = Annotated[int, Field(ge=1, le=10_000)]
Offset = Annotated[int, Field(ge=0, le=10_000_000)]


class Part(Parameters):
    """A part of a list."""

    limit: Limit = Field(1_000, description="The maximum number of entries.")
    offset: Offset = Field(0, description="The number of entries to skip.")


def part(rows: list[Any], given: Any) -> dict[str, Any]:  # noqa: ANN401 - has limit and offset
    """Return the members of a Listing: the requested part, and the total."""
    return {"total": len(rows), "items": rows[given.offset : given.offset + given.limit]}
