"""Finds the operation of a request in the route table, and of a name in a test."""

from urllib.parse import unquote

from pytest_turris.core.api.operation import Operation
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.text.names import LONGEST_NAME, did_you_mean, nearest
from pytest_turris.core.wire.errors import UnknownOperation


class Routes:
    """Finds operations; literal segments of a path match before ``{parameters}``."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        self._literal: dict[tuple[str, str], Operation] = {}
        self._patterns: dict[tuple[str, int], list[tuple[tuple[str, ...], Operation]]] = {}
        self._names: dict[str, Operation] = {}
        for operation in operations:
            self._names[operation.name] = operation
            self._names[operation.operation_id] = operation
            self._names[f"{operation.method} {operation.path}"] = operation
            if "{" not in operation.path:
                self._literal[operation.method, operation.path] = operation
                continue
            segments = tuple(operation.path.split("/"))
            shape = operation.method, len(segments)
            self._patterns.setdefault(shape, []).append((segments, operation))

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """Find the operation of a method and a path, with its path parameters percent-decoded.

        Raises:
            UnknownOperation: No operation has this method and path.
        """
        if operation := self._literal.get((method, path)):
            return operation, {}
        segments = path.split("/")
        for pattern, operation in self._patterns.get((method, len(segments)), ()):
            parameters = _matched(pattern, segments)
            if parameters is not None:
                return operation, parameters
        raise UnknownOperation("Resource not found", reason=self._nearest(method, path))

    def methods(self, path: str) -> list[str]:
        """The methods of a path: those of its literal operations, else those of its patterns."""
        found = {method for method, known in self._literal if known == path}
        if found:
            return sorted(found)
        segments = path.split("/")
        for (method, length), rows in self._patterns.items():
            if length == len(segments) and any(_matched(p, segments) is not None for p, _ in rows):
                found.add(method)
        return sorted(found)

    def resolve(self, name: str) -> str:
        """Find an operation's name by its name, operation id or ``METHOD /path``.

        Args:
            name: One of the three, or ``*`` for any operation, which is returned as it is.

        Raises:
            UnknownNameError: There is no such operation; the message suggests the nearest.
        """
        if name == "*":
            return name
        if name in self._names:
            return self._names[name].name
        hint = did_you_mean(name, self._names)
        names = ", ".join(sorted({operation.name for operation in self._names.values()}))
        raise UnknownNameError(f"there is no operation {name!r}{hint or f'; use one of {names}'}")

    def _nearest(self, method: str, path: str) -> str:
        others = self.methods(path)
        if others:
            return f"{path} is known with {', '.join(others)}, not with {method}"
        known = {f"{o.method} {o.path}" for o in self._names.values()}
        near = nearest(f"{method} {path}"[:LONGEST_NAME], known, cutoff=0.4)
        hint = f"; the nearest is {near}" if near else ""
        return f"no documented operation has this method and path{hint}"


def _matched(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for expected, given in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            if not given:
                return None
            parameters[expected[1:-1]] = unquote(given, errors="replace")
        elif expected != given:
            return None
    return parameters
