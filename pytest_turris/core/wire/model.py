"""What all wire models share: camelCase names, dates and ids as Turris writes them.

Dates are ISO 8601 in UTC with milliseconds, ids are MongoDB ObjectIds of 24 hex digits
(documented: guides/request-response).
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from pytest_turris.core.text.moments import iso
from pytest_turris.core.wire.building import ModelBuilding

_OBJECT_ID_LENGTH = 24
_HEX = "0123456789abcdef"
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


def is_object_id(value: str) -> bool:
    """Whether a text is 24 hexadecimal digits, in either case as MongoDB and class-validator."""
    return len(value) == _OBJECT_ID_LENGTH and not value.lower().strip(_HEX)


def _lower_object_id(value: str) -> str:
    if not is_object_id(value):
        raise PydanticCustomError("object_id", "must be a mongodb id")
    return value.lower()


def _is_email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise PydanticCustomError("email", "must be an email")
    return value


def _moment_of(value: object) -> dt.datetime:
    """The moment of a text in ISO 8601; pydantic alone takes a number for seconds, "1" as well."""
    if isinstance(value, dt.datetime):
        return value
    try:
        # RFC 3339, which JSON Schema's date-time follows, has a small z, too.
        return dt.datetime.fromisoformat(value.upper() if isinstance(value, str) else "")
    except ValueError:
        raise PydanticCustomError(
            "moment", "must be a moment in ISO 8601, such as 2026-03-01T12:00:00Z"
        ) from None


def _in_utc(value: dt.datetime) -> dt.datetime:
    if value.tzinfo is None:
        raise PydanticCustomError(
            "aware", "must carry a time zone: dt.datetime(..., tzinfo=dt.UTC)"
        )
    try:
        moment = value.astimezone(dt.UTC)
    except OverflowError:  # a calendar's first or last day, in a zone that is ahead or behind
        raise PydanticCustomError(
            "out_of_range", "must be a moment from the year 1 to 9999 in UTC"
        ) from None
    # MongoDB dates have milliseconds; the wire and a snapshot would lose anything finer.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


ObjectId = Annotated[
    str,
    AfterValidator(_lower_object_id),
    WithJsonSchema({"type": "string", "pattern": f"^[0-9a-fA-F]{{{_OBJECT_ID_LENGTH}}}$"}),
]
Email = Annotated[
    str, AfterValidator(_is_email), WithJsonSchema({"type": "string", "format": "email"})
]
Timestamp = Annotated[
    dt.datetime,
    BeforeValidator(_moment_of),
    AfterValidator(_in_utc),
    PlainSerializer(iso, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

# The check of a float fails for an int that no float can hold.
_Finite = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[int | _Finite, WithJsonSchema({"type": "number"})]
"""A JSON number: the integer 5000 does not become 5000.0."""

# The documented enum begins with AL (reference, licenses). Assumed: it holds the fifty states,
# the district and the territories.
StateCode = Literal[
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN",
    "IA", "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH",
    "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT",
    "VT", "VA", "WA", "WV", "WI", "WY", "AS", "GU", "MP", "PR", "VI",
]  # fmt: skip


class TurrisModel(BaseModel):
    """A record or a body on the wire: snake_case in Python, camelCase in JSON."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        validate_assignment=True,
        defer_build=ModelBuilding.is_deferred,
    )

    def wire(self) -> dict[str, Any]:
        """The JSON object that Turris sends; optional members without a value are omitted."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class RequestModel(BaseModel):
    """What a client sends: a body, a form or a query, with the wire's names."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel, frozen=True, defer_build=ModelBuilding.is_deferred
    )

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[str]:
        """The message of each broken rule between members, such as two that exclude each other."""
        del given
        yield from ()


def together(given: Mapping[str, Any], *names: str) -> Iterator[str]:
    """A message unless all or none of the members are given."""
    present = [name for name in names if given.get(name) is not None]
    if present and len(present) < len(names):
        yield f"{' and '.join(names)} must be provided together"


def exclusive(given: Mapping[str, Any], *groups: str) -> Iterator[str]:
    """A message if members of two groups are given; a group is ``a`` or ``a/b``."""
    if not given:
        return
    present = [group for group in groups if any(given.get(n) is not None for n in group.split("/"))]
    if len(present) > 1:
        yield f"{present[0]} is mutually exclusive with {', '.join(present[1:])}"
