"""What every wire model shares: camelCase names, dates and ids as Turris writes them.

Dates are ISO 8601 in UTC with milliseconds, ids are MongoDB ObjectIds of 24 hex digits
(documented: guides/request-response).
"""

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

_OBJECT_ID = re.compile(r"[0-9a-f]{24}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


def iso(moment: dt.datetime) -> str:
    """A moment as Turris prints it, such as ``2025-03-17T10:15:45.000Z``."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _is_object_id(value: str) -> str:
    if not _OBJECT_ID.fullmatch(value):
        raise PydanticCustomError("object_id", "must be a mongodb id")
    return value


def _is_email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise PydanticCustomError("email", "must be an email")
    return value


def _is_aware(value: dt.datetime) -> dt.datetime:
    if value.tzinfo is None:
        raise PydanticCustomError(
            "aware", "must carry a time zone: dt.datetime(..., tzinfo=dt.UTC)"
        )
    return value.astimezone(dt.UTC)


ObjectId = Annotated[str, AfterValidator(_is_object_id)]
Email = Annotated[str, AfterValidator(_is_email)]
Timestamp = Annotated[
    dt.datetime, AfterValidator(_is_aware), PlainSerializer(iso, when_used="json")
]

# The documented enum begins with AL (reference, licenses); that it holds the fifty states,
# the district and the territories is assumed.
StateCode = Literal[
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN",
    "IA", "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH",
    "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT",
    "VT", "VA", "WA", "WV", "WI", "WY", "AS", "GU", "MP", "PR", "VI",
]  # fmt: skip


class TurrisModel(BaseModel):
    """A record or a body on the wire: snake_case in Python, camelCase in JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, validate_assignment=True
    )

    def wire(self) -> dict[str, Any]:
        """The JSON object that Turris sends: optional members omitted unless set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
