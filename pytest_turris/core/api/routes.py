"""The route table: every operation of the sandbox, from the tables of its parts."""

import re
from functools import cache
from typing import Any

from pytest_turris.core.api import openapi
from pytest_turris.core.api.call import Call, Operation
from pytest_turris.core.api.router import Routes
from pytest_turris.core.api.tables import agents, associations, auth, policies, records, webhooks
from pytest_turris.core.options import OptionError, Options

_PARAMETER = re.compile(r"{\w+}")


@cache
def operations_at(webhooks_path: str) -> tuple[Operation, ...]:
    """Every operation, those of webhooks below a path (``Options.webhooks_path``).

    Raises:
        OptionError: Another operation is there.
    """
    others = (*auth.ROWS, *agents.ROWS, *associations.ROWS, *records.ROWS, *policies.ROWS)
    moved = webhooks.rows(webhooks_path)
    taken = {_shape(operation): operation for operation in others}
    for operation in moved:
        if other := taken.get(_shape(operation)):
            raise OptionError(
                f"turris option 'webhooks_path': {webhooks_path!r} is no place for webhooks, "
                f"as {other.method} {other.path} is there"
            )
    return (*others, *moved)


@cache
def routes_at(webhooks_path: str) -> Routes:
    """The routes to the same, and to their description. Raises OptionError."""
    return Routes((*operations_at(webhooks_path), DESCRIPTION))


def _shape(operation: Operation) -> tuple[str, str]:
    return operation.method, _PARAMETER.sub("{}", operation.path)


def _description(call: Call) -> dict[str, Any]:
    return openapi.document(operations_at(call.options.webhooks_path), call.options)


DESCRIPTION = Operation(
    name="openapi", method="GET", path=openapi.PATH, access="public",
    operation_id="Sandbox_getOpenapi", operation_id_documented=False, documented=False,
    enveloped=False, handler=_description, summary="This description", tag="sandbox",
    provenance="assumed", status_provenance="assumed",
)  # fmt: skip
"""The sandbox' own; it is none of Turris' and not in its description."""

OPERATIONS = operations_at(Options().webhooks_path)

ROUTES = routes_at(Options().webhooks_path)
"""Those of a sandbox with the default options."""

TOKEN_REQUEST = ("POST", "/v1/auth/jwt")
"""What ``token_requests`` counts."""
