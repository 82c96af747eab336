"""The index of a collection: the ids of its records by their indexed values."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from pytest_turris.core.resources.record import Record

Indexes = Mapping[str, Callable[[Any], Iterable[str | None]]]
"""The indexed values of a record, by the name of the index."""


class Index:
    """Ids by name and value, matched exactly."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes
        # Empty until something is in it: most tests need few of the many collections.
        self._keys: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)

    def keys(self, name: str, value: str | AbstractSet[str]) -> AbstractSet[str]:
        """The ids of the records with a value, or with any of a set of values."""
        index = self._keys[name]
        if isinstance(value, str):
            return index.get(value, set())
        return set().union(*(index.get(one, set()) for one in value))

    def add(self, record: Record) -> None:
        """Add a record."""
        key = record.key
        for name, values in self._indexes.items():
            index = self._keys[name]
            for value in values(record):
                if value is not None:
                    index.setdefault(value, set()).add(key)

    def discard(self, record: Record) -> None:
        """Remove a record, even if it was only partly added."""
        key = record.key
        for index in self._keys.values():
            # A set is empty if an exception came between making and filling it.
            for value in [value for value, keys in index.items() if not keys or key in keys]:
                index[value].discard(key)
                if not index[value]:
                    del index[value]

    def remove(self, record: Record) -> None:
        """Remove a record; it must be as it was when it was added."""
        for name, values in self._indexes.items():
            index = self._keys[name]
            for value in values(record):
                if value is not None and value in index:
                    index[value].discard(record.key)
                    if not index[value]:
                        del index[value]

    def clear(self) -> None:
        """Forget all records."""
        self._keys.clear()
