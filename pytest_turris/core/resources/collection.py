"""A collection keeps records by id, in the order in which they were made, indexed by filters.

Every change of a record goes through its collection, which keeps the indexes and calls its
listener; records themselves are frozen.
"""

import inspect
from collections.abc import Collection as Collected
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pytest_turris.core.changes import Changes
from pytest_turris.core.clock import Clock
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.index import Index, Indexes
from pytest_turris.core.resources.members import nested, record_of, refuse_unknown, restored_record
from pytest_turris.core.resources.record import Record, RecordError, UnknownRecordError
from pytest_turris.core.undo import Undo, reading, whole

R = TypeVar("R", bound=Record)
C = TypeVar("C", bound="Collection[Any]")
MANY = 5_000
"""Records of one kind from which a list of them delays the other clients of a server."""
_UNGUARDED = frozenset({"rows", "snapshot", "restore", "find", "get"})
"""Either short, or called under the lock."""


class ChangeListener(Protocol):
    """Called by a collection before and after each change of a record."""

    def settle(self) -> None:
        """Carry out what is due before the change."""

    def changed(self, old: Record | None, new: Record | None) -> None:
        """React to a change: a record was made (no ``old``), changed, or removed (no ``new``)."""


class CollectionHolder(Protocol):
    """The holder of an upstream entity's collections, with what they need."""

    clock: Clock
    randomness: Randomness
    options: Options
    listener: ChangeListener
    upstream_entity_id: str
    changes: Changes | None
    undo: Undo
    are_many: bool

    def collection(self, kind: type[C]) -> C:
        """Another collection of the same entity."""


class Collection(Generic[R]):
    """The records of one kind that an upstream entity has."""

    kind: type[R]
    attribute: ClassVar[str] = ""
    """The attribute of a sandbox that has the collection."""
    indexes: ClassVar[Indexes] = {}
    """The indexes by name: each gives the values that a record is found by, matched exactly."""
    flat_names: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Keywords for members of nested models: ``{"npn": ("agent", "npn")}``."""

    def __init_subclass__(cls) -> None:
        """Guard the methods of each kind: they change several records, or read during changes."""
        super().__init_subclass__()
        for name, method in tuple(vars(cls).items()):
            if inspect.isfunction(method) and name[0] != "_" and name not in _UNGUARDED:
                setattr(cls, name, whole(method))

    def __init__(self, holder: CollectionHolder) -> None:
        self._holder = holder
        self.undo: Undo = holder.undo
        """Guards the changes."""
        self._clock = holder.clock
        self._randomness = holder.randomness
        self._listener = holder.listener
        self._records: dict[str, R] = {}
        self._index = Index(self.indexes)
        self._order: dict[str, int] = {}
        self._made = 0

    def __iter__(self) -> Iterator[R]:
        return iter(tuple(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def find(self, key: str) -> R | None:
        """The record with an id, or None."""
        return self._records.get(key)

    def get(self, key: str) -> R:
        """The record with an id.

        Raises:
            UnknownRecordError: There is none.
        """
        try:
            return self._records[key]
        except (KeyError, TypeError):  # also what cannot be a key
            raise UnknownRecordError(f"no {self.kind.__name__} with id {key!r}") from None

    @reading
    def where(self, /, **wanted: str | AbstractSet[str] | None) -> list[R]:
        """The records with these values in these indexes, in order.

        A set matches any of its values; ``None`` does not filter.
        """
        found = [self._keys(name, value) for name, value in wanted.items() if value is not None]
        if not found:
            return list(self._records.values())
        first, *others = sorted(found, key=len)
        keys = set(first).intersection(*others)
        return [self._records[key] for key in sorted(keys, key=self._order.__getitem__)]

    def one_where(self, **wanted: str) -> R | None:
        """The first record that ``where`` would give, or None."""
        return next(iter(self.where(**wanted)), None)

    @whole
    def remove(self, record: R | str) -> None:
        """Remove a record, given itself or its id.

        Raises:
            UnknownRecordError: There is none.
        """
        current = self._current(record)
        self._listener.settle()
        self.undo.step(partial(self._put_back, current, vars(current).copy()))
        self.undo.copies(self, "_records", "_order")
        self._index.remove(current)
        del self._records[current.key], self._order[current.key]
        if self._holder.changes is not None:
            self._holder.changes.gone(self.part, current.key)
        self._listener.changed(current, None)

    def delete(self, record: R | str) -> R:
        """Soft-delete a record, if its kind allows that; an agency's agents are deleted with it.

        Raises:
            UnknownRecordError: There is none.
            RecordError: Records of this kind are only removed.
        """
        return self.update(record, is_deleted=True)

    def undelete(self, record: R | str) -> R:
        """Restore a record that was soft-deleted, and an agency's agents with it.

        Raises:
            UnknownRecordError: There is none.
            RecordError: Records of this kind are only removed.
        """
        return self.update(record, is_deleted=False)

    @whole
    def make(self, /, **members: Any) -> R:  # noqa: ANN401 - the record's own fields, validated
        """Validate and keep a new record.

        Raises:
            RecordError: A member is unknown or does not fit, or the id is taken.
        """
        record = record_of(self.kind, members)
        if record.key in self._records:
            raise RecordError(f"{self.kind.__name__}: the id {record.key!r} is taken")
        self._listener.settle()
        self.undo.attributes(self, "_made")
        self.undo.item(self._order, record.key)
        self.undo.item(self._records, record.key)
        self.undo.step(partial(self._index.discard, record))
        self._keep(record)
        self._mark(record)
        self._listener.changed(None, record)
        return record

    @whole
    def update(self, /, record: R | str, **members: Any) -> R:  # noqa: ANN401 - as in make
        """Change members of a record, all or none, by the keywords of ``add`` or of the record.

        Raises:
            UnknownRecordError: There is no such record.
            RecordError: A member is unknown or does not fit; nothing is changed.
        """
        current = self._current(record)
        refuse_unknown(self.kind.__name__, members, [*self.kind.model_fields, *self.flat_names])
        changes = self._with_update_time(current, nested(current, members, self.flat_names))
        checked = record_of(self.kind, dict(current) | changes)
        if checked.key != current.key:
            raise RecordError(f"{self.kind.__name__}: the id of a record does not change")
        self._listener.settle()
        old = current.model_copy()
        self.undo.step(partial(self._put_back, current, vars(current).copy()))
        self._index.remove(current)
        current.become({name: getattr(checked, name) for name in changes})
        self._index.add(current)
        self._mark(current)
        self._listener.changed(old, current)
        return current

    def rows(self) -> Iterator[tuple[str, Any]]:
        """Each id with its record as JSON data, internal fields included."""
        for key, record in self._records.items():
            yield key, _plain(record)

    def snapshot(self) -> list[dict[str, Any]]:
        """The records as JSON data, internal fields included."""
        return [row for _, row in self.rows()]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Replace all records with a snapshot's.

        Raises:
            RecordError: A record does not fit its model.
        """
        records = [restored_record(self.kind, row) for row in rows]
        self._records, self._order = {}, {}
        self._index.clear()
        for record in records:
            self._keep(record)

    def take_over(self, key: str, row: dict[str, Any] | None) -> R | None:
        """Take over a record that another process changed; None if it was removed there.

        Raises:
            RecordError: It does not fit its model.
        """
        record = restored_record(self.kind, row) if row is not None else None
        current = self._records.get(key)
        if current is not None:
            self._index.discard(current)
        if record is None:
            self._records.pop(key, None)
            self._order.pop(key, None)
        elif current is None:
            self._keep(record)
        else:
            vars(current).update(vars(record))
            self._index.add(current)
        return current if record is not None and current is not None else record

    def _keys(self, name: str, value: str | AbstractSet[str]) -> AbstractSet[str]:
        if name not in self.indexes:
            raise UnknownNameError(f"{self.kind.__name__} has no index {name!r}")
        if not isinstance(value, str | Collected):
            raise RecordError(f"{self.kind.__name__}: {name}={value!r} is not a text")
        return self._index.keys(name, value)

    def _current(self, record: R | str) -> R:
        return self.get(record.key if isinstance(record, Record) else record)

    def _with_update_time(self, current: R, changes: dict[str, Any]) -> dict[str, Any]:
        if getattr(current, "updated_at", None) is None:
            return changes
        return {"updated_at": self._clock.now()} | changes

    @property
    def part(self) -> str:
        """The name of the collection among the parts of the state."""
        return f"entity.{self.attribute}"

    def _mark(self, record: R) -> None:
        if self._holder.changes is not None:
            self._holder.changes.mark(self.part, record.key, lambda: record)

    def _keep(self, record: R) -> None:
        self._records[record.key] = record
        if len(self._records) >= MANY:
            self._holder.are_many = True
        self._made += 1
        self._order[record.key] = self._made
        self._index.add(record)

    def _put_back(self, record: R, members: dict[str, Any]) -> None:
        """Give a record these members again, and index it by them."""
        self._index.discard(record)
        vars(record).clear()
        record.become(members)
        self._index.add(record)


def _plain(record: Record) -> dict[str, Any]:
    return record.model_dump(mode="json")
