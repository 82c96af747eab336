"""Where records live: a collection by id, in the order of their making, indexed by its filters.

Every change of a record goes through its collection, which keeps the indexes and tells its
ledger; records themselves are frozen.
"""

import difflib
import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Collection as Names
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Generic, ParamSpec, Protocol, TypeVar, get_args, get_origin

from pydantic import ConfigDict, ValidationError

from pytest_turris.core.clock import Clock
from pytest_turris.core.errors import TurrisKitError, UnknownNameError
from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.wire.model import TurrisModel


class RecordError(TurrisKitError, ValueError):
    """A record that cannot be: the message names each member that does not fit."""


class UnknownRecordError(TurrisKitError, KeyError):
    """There is no record, webhook or delivery with that id."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


class WireModel(TurrisModel):
    """What an answer is made of; a record's parts change through its collection only.

    ``internal_fields`` names members that the API never shows, wherever the part stands.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)
    internal_fields: ClassVar[frozenset[str]] = frozenset()
    excluded: ClassVar[dict[str, Any]] = {}
    """The same with what is off the wire in the parts within, as pydantic's ``exclude``."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:  # noqa: ANN401 - pydantic's own
        """Gather what is off the wire, in the parts of this part too."""
        cls.excluded = dict.fromkeys(cls.internal_fields, True)
        for name, field in cls.model_fields.items():
            part, listed = _part_in(field.annotation)
            if part is not None and part.excluded and name not in cls.excluded:
                cls.excluded[name] = {"__all__": part.excluded} if listed else part.excluded

    def wire(self, *, nulls: bool = False) -> dict[str, Any]:
        """The JSON object that Turris sends; optional members omitted, or ``null``."""
        return self.model_dump(
            mode="json", by_alias=True, exclude_none=not nulls, exclude=self.excluded
        )


class Record(WireModel):
    """A model with an identity."""

    @property
    def key(self) -> str:
        """The id under which its collection keeps it."""
        raise NotImplementedError


def _part_in(hint: object) -> tuple[type[WireModel] | None, bool]:
    """The model in a member's type, and whether the member is a list of it."""
    if isinstance(hint, type) and issubclass(hint, WireModel):
        return hint, False
    for inner in get_args(hint):
        part, listed = _part_in(inner)
        if part is not None:
            return part, listed or get_origin(hint) is list
    return None, False


R = TypeVar("R", bound=Record)
P = ParamSpec("P")
T = TypeVar("T")
Indexes = Mapping[str, Callable[[Any], Iterable[str | None]]]


class ChangeListener(Protocol):
    """What is called before and after each change of a record."""

    def settle(self) -> None:
        """Carry out what is due before the change."""

    def changed(self, old: Record | None, new: Record | None) -> None:
        """Follow the change: a record was made (no ``old``), changed, or removed (no ``new``)."""


C = TypeVar("C", bound="Collection[Any]")


class CollectionHolder(Protocol):
    """What holds the collections of an upstream entity, and has all that they need."""

    clock: Clock
    randomness: Randomness
    options: Options
    listener: ChangeListener
    upstream_entity_id: str

    def collection(self, kind: type[C]) -> C:
        """Another collection of the same entity."""


def suggest_keywords(add: Callable[P, T]) -> Callable[P, T]:
    """Answer a misspelt keyword of an ``add`` with the nearest one, as a RecordError."""
    known = tuple(inspect.signature(add).parameters)[1:]

    @functools.wraps(add)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        _refuse_unknown(add.__qualname__, kwargs, known)
        return add(*args, **kwargs)

    return checked


class Collection(Generic[R]):
    """The records of one kind that an upstream entity has."""

    kind: type[R]
    indexes: ClassVar[Indexes] = {}
    """By name: what a record is found by; each value is matched exactly."""
    words: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Keywords that name a member of a part: ``{"npn": ("agent", "npn")}``."""

    def __init__(self, holder: CollectionHolder) -> None:
        self._holder = holder
        self._clock = holder.clock
        self._randomness = holder.randomness
        self._listener = holder.listener
        self._records: dict[str, R] = {}
        # Empty until something is in it: most tests need few of the many collections.
        self._index: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
        self._order: dict[str, int] = {}
        self._made = 0

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
            UnknownRecordError: There is none.
        """
        try:
            return self._records[key]
        except KeyError:
            raise UnknownRecordError(f"no {self.kind.__name__} with id {key!r}") from None

    def where(self, **wanted: str | AbstractSet[str] | None) -> list[R]:
        """The records with those values in those indexes, in order.

        Of a set, any value will do; ``None`` does not filter.
        """
        found = [self._keys(name, value) for name, value in wanted.items() if value is not None]
        if not found:
            return list(self._records.values())
        keys = set.intersection(*sorted(found, key=len))
        return [self._records[key] for key in sorted(keys, key=self._order.__getitem__)]

    def one_where(self, **wanted: str) -> R | None:
        """The first such record, or None."""
        return next(iter(self.where(**wanted)), None)

    def remove(self, record: R | str) -> None:
        """Take a record away, by itself or by its id.

        Raises:
            UnknownRecordError: It is not there.
        """
        current = self._current(record)
        self._listener.settle()
        self._unindex(current)
        del self._records[current.key], self._order[current.key]
        self._listener.changed(current, None)

    def make(self, **members: Any) -> R:  # noqa: ANN401 - the record's own fields, validated
        """Validate and keep a new record.

        Raises:
            RecordError: A member is unknown or does not fit, or the id is taken.
        """
        _refuse_unknown(self.kind.__name__, members, self.kind.model_fields)
        try:
            record = self.kind(**members)
        except ValidationError as error:
            raise _unfit(self.kind, error) from None
        if record.key in self._records:
            raise RecordError(f"{self.kind.__name__}: the id {record.key!r} is taken")
        self._listener.settle()
        self._keep(record)
        self._listener.changed(None, record)
        return record

    def update(self, record: R | str, **members: Any) -> R:  # noqa: ANN401 - as in make
        """Change members of a record, by the words of ``add`` or of the record; all or none.

        Raises:
            UnknownRecordError: It is not there.
            RecordError: A member is unknown or does not fit; nothing is changed.
        """
        current = self._current(record)
        _refuse_unknown(self.kind.__name__, members, [*self.kind.model_fields, *self.words])
        changes = self._stamped(current, self._in_parts(current, members))
        try:
            checked = self.kind.model_validate(dict(current) | changes)
        except ValidationError as error:
            raise _unfit(self.kind, error) from None
        if checked.key != current.key:
            raise RecordError(f"{self.kind.__name__}: the id of a record does not change")
        self._listener.settle()
        old = current.model_copy()
        self._unindex(current)
        # In place and past the freeze: whoever holds the record sees the change.
        vars(current).update({name: getattr(checked, name) for name in changes})
        self._enter(current)
        self._listener.changed(old, current)
        return current

    def snapshot(self) -> list[dict[str, Any]]:
        """The records as JSON data, with what the API never shows."""
        return [record.model_dump(mode="json") for record in self._records.values()]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace all records by a snapshot's."""
        records = [self.kind.model_validate(row) for row in rows]
        self._records, self._order = {}, {}
        self._index.clear()
        for record in records:
            self._keep(record)

    def _keys(self, name: str, value: str | AbstractSet[str]) -> set[str]:
        if name not in self.indexes:
            raise UnknownNameError(f"{self.kind.__name__} has no index {name!r}")
        index = self._index[name]
        if isinstance(value, str):
            return index.get(value, set())
        return set().union(*(index.get(one, set()) for one in value))

    def _current(self, record: R | str) -> R:
        return self.get(record if isinstance(record, str) else record.key)

    def _in_parts(self, current: R, members: dict[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for word, value in members.items():
            if word not in self.words:
                changes[word] = value
                continue
            part, member = self.words[word]
            changes.setdefault(part, dict(getattr(current, part)))[member] = value
        return changes

    def _stamped(self, current: R, changes: dict[str, Any]) -> dict[str, Any]:
        if getattr(current, "updated_at", None) is None:
            return changes
        return {"updated_at": self._clock.now()} | changes

    def _keep(self, record: R) -> None:
        self._records[record.key] = record
        self._made += 1
        self._order[record.key] = self._made
        self._enter(record)

    def _enter(self, record: R) -> None:
        for name, values in self.indexes.items():
            index = self._index[name]
            for value in values(record):
                if value is not None:
                    index.setdefault(value, set()).add(record.key)

    def _unindex(self, record: R) -> None:
        for name, values in self.indexes.items():
            index = self._index[name]
            for value in values(record):
                if value is not None and value in index:
                    index[value].discard(record.key)
                    if not index[value]:
                        del index[value]


def _refuse_unknown(where: str, given: Mapping[str, Any], known: Names[str]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RecordError(f"{where} has no member {name!r}{hint}")


def _unfit(kind: type[Record], error: ValidationError) -> RecordError:
    rows = error.errors(include_url=False, include_input=False)
    words = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows)
    return RecordError(f"{kind.__name__}: {words}")
