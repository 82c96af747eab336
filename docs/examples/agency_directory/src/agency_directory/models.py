"""The parts of Turris' records that the directory uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who sells insurance."""

    id: str
    npn: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None

    @classmethod
    def from_wire(cls, entry: Mapping[str, Any]) -> Self:
        """Read an agent entry of the API."""
        agent = entry["agent"]
        return cls(
            id=_text(agent["_id"]),
            npn=_text(agent["npn"]),
            email=_text_or_none(entry.get("email")),
            first_name=_text_or_none(agent.get("firstName")),
            last_name=_text_or_none(agent.get("lastName")),
        )


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency. ``id`` is the id of our association with it."""

    id: str
    legal_name: str | None = None
    npn: str | None = None
    producer_code: str | None = None

    @classmethod
    def from_wire(cls, association: Mapping[str, Any]) -> Self:
        """Read a downstream entity association of the API."""
        entity = association["downstreamEntity"]
        return cls(
            id=_text(association["_id"]),
            legal_name=_text_or_none(entity.get("legalName")),
            npn=_text_or_none(entity.get("npn")),
            producer_code=_text_or_none(association.get("producerCode")),
        )


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation. Anyone who knows the ``url`` can accept it, so ``repr`` omits the URL."""

    url: str | None = field(default=None, repr=False)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read the answer to an invitation."""
        return cls(url=_text_or_none(data.get("url")))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
