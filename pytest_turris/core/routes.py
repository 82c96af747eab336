"""The route table: every operation of the sandbox, as a table of contents."""

import difflib
from urllib.parse import unquote

from pytest_turris.core.call import Operation
from pytest_turris.core.errors import UnknownOperation
from pytest_turris.core.operations import agents, associations, auth

_ASSOCIATION = "/v1/downstream-entity-associations"

OPERATIONS = (
    # Authentication
    Operation(
        name="get_oauth_token", method="POST", path="/v1/auth/jwt", status=201, access="public",
        operation_id="AuthController_getToken_v1", handler=auth.get_oauth_token,
    ),
    Operation(
        name="test_oauth", method="GET", path="/v1/auth/test-oauth", access="oauth",
        operation_id="AuthController_testOauth_v1", operation_id_documented=False,
        enveloped=False, handler=auth.oauth_test,
    ),
    Operation(
        name="jwks", method="GET", path="/.well-known/jwks.json", access="public",
        operation_id="AuthController_getJwks_v1", operation_id_documented=False,
        documented=False, enveloped=False, handler=auth.jwks,
    ),
    # Agents
    Operation(
        name="list_agents", method="GET", path="/v1/agents",
        operation_id="AgentFeatureController_getAgents_v1", operation_id_documented=False,
        handler=agents.list_agents,
    ),
    Operation(
        name="create_agent", method="POST", path="/v1/agents", status=201,
        operation_id="AgentFeatureController_createAgent_v1", operation_id_documented=False,
        handler=agents.create_agent,
    ),
    Operation(
        name="get_agent", method="GET", path="/v1/agents/{agentId}",
        operation_id="AgentFeatureController_getAgent_v1", handler=agents.get_agent,
    ),
    # Downstream entity associations
    Operation(
        name="list_associations", method="GET", path=_ASSOCIATION,
        operation_id="AssociatedDownstreamEntitiesController_getAllDownstreamEntities_v1",
        handler=associations.list_associations,
    ),
    Operation(
        name="get_association", method="GET",
        path=_ASSOCIATION + "/{downstreamEntityAssociationId}",
        operation_id="AssociatedDownstreamEntitiesController_getDownstreamEntity_v1",
        handler=associations.get_association,
    ),
    Operation(
        name="invite", method="POST", path=_ASSOCIATION + "/invite", status=201,
        operation_id="AssociatedDownstreamEntitiesController_inviteDownstreamEntity_v1",
        operation_id_documented=False, idempotent=True, handler=associations.invite,
    ),
)  # fmt: skip


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

    def resolve(self, name: str) -> str:
        """An operation's name from its name, operation id or ``METHOD /path``; ``*`` is any.

        Raises:
            ValueError: There is no such operation; the message names the nearest.
        """
        if name == "*":
            return name
        if name in self._names:
            return self._names[name].name
        near = difflib.get_close_matches(name, self._names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        names = ", ".join(sorted({operation.name for operation in self._names.values()}))
        raise ValueError(f"there is no operation {name!r}{hint} (there are: {names})")

    def _nearest(self, method: str, path: str) -> str:
        known = [f"{o.method} {o.path}" for o in self._names.values()]
        others = sorted({m for (m, p) in self._literal if p == path})
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


ROUTES = Routes(OPERATIONS)

TOKEN_REQUEST = ("POST", "/v1/auth/jwt")
"""What ``token_requests`` counts."""
