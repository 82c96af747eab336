"""The HTTP side of the table: finds the row of a request, executes it, writes its result."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from mock_server.control.control import Control, ControlCall
from mock_server.control.execution import run_control
from mock_server.control.models import Parameters
from mock_server.control.table import CONTROLS, at
from mock_server.control.tenants import Tenants
from mock_server.control.wire.documents import (
    query_of,
    read_json,
    read_segment,
    validated,
)
from mock_server.control.wire.errors import ControlError, Problem, answer, escaped
from pytest_turris.core.text.names import nearest
from pytest_turris.core.wire.messages import Request, Response

_PREFIX = "/__sandbox__"
_NOT_JSON = "the Content-Type is not application/json; send JSON, or no body and no Content-Type"
TENANT_PREFIX = f"{_PREFIX}/tenants/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request that was understood: its row, what it acts on, and its parameters."""

    control: Control
    call: ControlCall
    given: Parameters

    def response(self) -> Response:
        """Do it, and write the result.

        Raises:
            ControlError: It cannot be done; the state is as before.
        """
        result = run_control(self.control, self.call, self.given)
        if result is None:
            return answer(self.control.status, b"")
        return answer(self.control.status, _written(result))

    def lines(self) -> Iterator[list[bytes]]:
        """The results of a stream as they come, in JSON; an empty list if there is none now."""
        streamed = run_control(self.control, self.call, self.given)
        for results in streamed:  # pragma: no branch - a stream ends when the client hangs up
            yield [_written(result) for result in results]


def prepared(request: Request, tenants: Tenants) -> Prepared:
    """Find the row of a request, and validate its parameters.

    Raises:
        ControlError: There is no such path, method, tenant, or a parameter does not fit.
    """
    control, in_path, tenant_name = _found(request)
    tenant = tenants.get(tenant_name) if tenant_name else tenants.default
    if tenant is None:
        near = nearest(tenant_name[:64], tenants.names)
        raise ControlError(404, problems=(Problem("tenant", "the name of a tenant", near),))
    tenant.use()
    document = _parameters(control, request, in_path)
    given = validated(control, document, texts=not control.has_body)
    return Prepared(control=control, call=ControlCall(tenant=tenant, tenants=tenants), given=given)


def _found(request: Request) -> tuple[Control, dict[str, str], str]:
    """The row, its parameters in the path, and the name of the tenant, empty for the default."""
    path = request.path.removeprefix(_PREFIX)
    rows, tenant = list(at(path)), ""
    if not rows and request.path.startswith(TENANT_PREFIX):
        segment, _, rest = request.path.removeprefix(TENANT_PREFIX).partition("/")
        tenant, path = read_segment(segment), f"/{rest}"
        rows = [row for row in at(path) if row[0].scope == "sandbox"]
    if not rows:
        near = nearest(path[:200], {row.path for row in CONTROLS.values()})
        hint = f"; did you mean {_PREFIX}{near}?" if near else ""
        raise ControlError(404, f"the control API has no such path{hint}")
    for control, in_path in rows:
        if control.method == request.method:
            return control, {name: read_segment(text) for name, text in in_path.items()}, tenant
    methods = ", ".join(sorted({control.method for control, _ in rows}))
    raise ControlError(405, f"this path has the methods {methods}", headers=(("allow", methods),))


def _parameters(control: Control, request: Request, in_path: dict[str, str]) -> dict[str, Any]:
    """The document of a request: what is in its path, and in its query or its body."""
    if not control.has_body:
        if request.body.strip():
            raise ControlError(400, f"{control.method} takes no body; use the query")
        document = query_of(request.query)
    else:
        if request.query:
            raise ControlError(400, f"{control.method} takes no query; use a JSON body")
        if request.media_type != "application/json" and not _is_empty(request):
            raise ControlError(415, _NOT_JSON)
        if len(request.body) > control.max_body:
            raise ControlError(413, f"the body is longer than {control.max_body} bytes")
        document = read_json(request.body)
    if doubled := document.keys() & in_path.keys():
        raise ControlError(400, problems=(Problem(min(doubled), "a value in the path only"),))
    numbers = {
        name: int(text)
        for name, text in in_path.items()
        if control.number_in_path(name) and text.isascii() and text.isdecimal() and len(text) < 19  # noqa: PLR2004 - of 64 bits
    }
    return document | in_path | numbers


def _is_empty(request: Request) -> bool:
    """Whether there is no body and none is announced. What a form of a page sends has a type."""
    return not request.body and not request.lines("content-type")


def _written(result: BaseModel) -> bytes:
    return escaped(result.model_dump_json(by_alias=True).encode())
