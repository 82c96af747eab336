"""Finds the operation of a request in the route table."""

import difflib
from urllib.parse import unquote

from pytest_turris.core.api.call import Operation
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.wire.errors import UnknownOperation


class Routes:
    """Finds the operation of a request, literal segments before ``{parameters}``."""

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
        """The operation with its path parameters, percent-decoded.

        Raises:
            UnknownOperation: No documented operation has this path and method.
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
        """The methods that a path is known with, literally before by its pattern."""
        found = {method for method, known in self._literal if known == path}
        if found:
            return sorted(found)
        segments = path.split("/")
        for (method, length), rows in self._patterns.items():
            if length == len(segments) and any(_matched(p, segments) is not None for p, _ in rows):
                found.add(method)
        return sorted(found)

    def resolve(self, name: str) -> str:
        """An operation's name from its name, operation id or ``METHOD /path``; ``*`` is any.

        Raises:
            UnknownNameError: There is no such operation; the message names the nearest.
        """
        if name == "*":
            return name
        if name in self._names:
            return self._names[name].name
        near = difflib.get_close_matches(name, self._names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        names = ", ".join(sorted({operation.name for operation in self._names.values()}))
        raise UnknownNameError(f"there is no operation {name!r}{hint} (there are: {names})")

    def _nearest(self, method: str, path: str) -> str:
        known = [f"{o.method} {o.path}" for o in self._names.values()]
        others = self.methods(path)
        if others:
            return f"{path} is known with {', '.join(others)}, not with {method}"
        near = difflib.get_close_matches(f"{method} {path}"[:200], known, n=1, cutoff=0.4)
        hint = f"; the nearest is {near[0]}" if near else ""
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
