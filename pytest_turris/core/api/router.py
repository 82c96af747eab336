"""Finds the operation of a request, and of a name in a test.

A server answers soon after its start: it imports most operations at the first request for one of
them. A test process imports all at once, for the reason in ``ModelBuilding``.
"""

from collections.abc import Callable
from functools import cache, cached_property
from urllib.parse import unquote

from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.operations import auth
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.options import Options
from pytest_turris.core.text.names import LONGEST_NAME, did_you_mean, nearest
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.core.wire.building import ModelBuilding
from pytest_turris.core.wire.errors import UnknownOperation

if not ModelBuilding.is_deferred:
    from pytest_turris.core.api import routes as _imported  # noqa: F401 - only to have it loaded

_FIRST = (auth.get_oauth_token, auth.jwks)
"""What a client asks for before anything else."""


class Routes:
    """Finds operations; literal segments of a path match before ``{parameters}``.

    Args:
        operations: Returns all operations; called when one is not among the first.
        first: Operations without parameters in their paths.
    """

    def __init__(
        self, operations: Callable[[], tuple[Operation, ...]], first: tuple[Operation, ...] = ()
    ) -> None:
        self._operations = operations
        self._first = {(one.method, one.path): one for one in first}

    @cached_property
    def _literal(self) -> dict[tuple[str, str], Operation]:
        return {(one.method, one.path): one for one in self._operations() if "{" not in one.path}

    @cached_property
    def _patterns(self) -> dict[tuple[str, int], list[tuple[tuple[str, ...], Operation]]]:
        found: dict[tuple[str, int], list[tuple[tuple[str, ...], Operation]]] = {}
        for one in self._operations():
            if "{" in one.path:
                segments = tuple(one.path.split("/"))
                found.setdefault((one.method, len(segments)), []).append((segments, one))
        return found

    @cached_property
    def _names(self) -> dict[str, Operation]:
        return {
            name: one
            for one in self._operations()
            for name in (one.name, one.operation_id, f"{one.method} {one.path}")
        }

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """Find the operation of a method and a path, with its path parameters percent-decoded.

        Raises:
            UnknownOperation: No operation has this method and path.
        """
        place = method, path
        if operation := self._first.get(place) or self._literal.get(place):
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
            # A client may have put a secret where an id belongs.
            shown = redact_target(path)
            return f"{shown} is known with {', '.join(others)}, not with {method}"
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


@cache
def routes_at(webhooks_path: str) -> Routes:
    """The routes to all operations, with those on webhooks below ``Options.webhooks_path``.

    Raises:
        OptionError: Another operation has one of their paths.
    """
    if webhooks_path != Options().webhooks_path:
        _described(webhooks_path)
    return Routes(lambda: _described(webhooks_path), _FIRST)


def _described(webhooks_path: str) -> tuple[Operation, ...]:
    """All operations and their description."""
    from pytest_turris.core.api.routes import get_openapi, operations_at  # noqa: PLC0415 - when first needed

    return (*operations_at(webhooks_path), get_openapi)


ROUTES = routes_at(Options().webhooks_path)
"""The routes of a sandbox with the default options."""
