"""Where records live: a collection by id, in the order of their making."""

import difflib
from collections.abc import Iterator
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import ValidationError

from pytest_turris.core.clock import Clock
from pytest_turris.core.model import TurrisModel
from pytest_turris.core.randomness import Randomness


class RecordError(ValueError):
    """A record that cannot be: the message names each member that does not fit."""


class Record(TurrisModel):
    """A model with an identity. ``off_wire`` names members that the API never shows."""

    off_wire: ClassVar[frozenset[str]] = frozenset()

    @property
    def key(self) -> str:
        """The id under which its collection keeps it."""
        raise NotImplementedError

    def wire(self, *, nulls: bool = False) -> dict[str, Any]:
        """The JSON object that Turris sends; optional members omitted, or ``null``."""
        return self.model_dump(
            mode="json", by_alias=True, exclude_none=not nulls, exclude=set(self.off_wire)
        )


R = TypeVar("R", bound=Record)


class Collection(Generic[R]):
    """The records of one kind that an upstream entity has."""

    kind: type[R]

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._records: dict[str, R] = {}

    def __iter__(self) -> Iterator[R]:
        return iter(tuple(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def find(self, key: str) -> R | None:
        """The record of that id, or None."""
        return self._records.get(key)

    def get(self, key: str) -> R:
        """The record of that id.

        Raises:
            KeyError: There is none.
        """
        try:
            return self._records[key]
        except KeyError:
            raise KeyError(f"no {self.kind.__name__} with id {key!r}") from None

    def remove(self, record: R | str) -> None:
        """Take a record away, by itself or by its id.

        Raises:
            KeyError: It is not there.
        """
        key = record if isinstance(record, str) else record.key
        del self._records[self.get(key).key]

    def make(self, **members: Any) -> R:  # noqa: ANN401 - the record's own fields, validated
        """Validate and keep a new record.

        Raises:
            RecordError: A member is unknown or does not fit.
        """
        self._refuse_unknown(members)
        try:
            record = self.kind(**members)
        except ValidationError as error:
            raise _unfit(self.kind, error) from None
        self._records[record.key] = record
        return record

    def update(self, record: R | str, **members: Any) -> R:  # noqa: ANN401 - as in make
        """Change members of a record, all or none.

        Raises:
            KeyError: It is not there.
            RecordError: A member is unknown or does not fit; nothing is changed.
        """
        current = self.get(record if isinstance(record, str) else record.key)
        self._refuse_unknown(members)
        try:
            checked = self.kind.model_validate(dict(current) | members)
        except ValidationError as error:
            raise _unfit(self.kind, error) from None
        for name in members:
            setattr(current, name, getattr(checked, name))
        return current

    def snapshot(self) -> list[dict[str, Any]]:
        """The records as JSON data, with what the API never shows."""
        return [record.model_dump(mode="json") for record in self._records.values()]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace all records by a snapshot's."""
        records = (self.kind.model_validate(row) for row in rows)
        self._records = {record.key: record for record in records}

    def _refuse_unknown(self, members: dict[str, Any]) -> None:
        known = self.kind.model_fields
        for name in members:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise RecordError(f"{self.kind.__name__} has no member {name!r}{hint}")


def _unfit(kind: type[Record], error: ValidationError) -> RecordError:
    rows = error.errors(include_url=False, include_input=False)
    words = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows)
    return RecordError(f"{kind.__name__}: {words}")
