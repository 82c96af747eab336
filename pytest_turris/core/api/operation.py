"""An operation: a function, and the row above it that says where it answers and how it is known."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pytest_turris.core.access.credential import Permission
from pytest_turris.core.api.call import Call
from pytest_turris.core.options import Options
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.model import RequestModel

Payload = WireModel | Sequence[WireModel] | dict[str, Any] | None
Handler = Callable[[Call], Payload]
Access = Literal["public", "oauth", "restricted", "any"]
_Evidence = Literal["documented", "derived", "assumed"]

_FORM_AROUND_A_FILE = 65_536


class Link(NamedTuple):
    """A value in the answer that another operation takes as a path parameter (OpenAPI links)."""

    operation: str
    parameter: str
    pointer: str
    """A JSON pointer into the answer's data, without its leading slash."""


class Guide(NamedTuple):
    """A page of these docs with more about an operation."""

    page: str
    """Its path below ``docs/``, without its suffix."""
    about: str
    """What it says, as the text of a link."""


@dataclass(frozen=True)
class OperationRow:
    """The row of the route table above an operation's function.

    Attributes:
        method: The HTTP method.
        path: The path, with ``{parameters}``.
        summary: One line for the OpenAPI description.
        tag: The section of the description.
        page: The documented page: its slug below ``api-reference/v1/``, or the guide.
        operation_id: The documented one if ``operation_id_documented``, else one in the same form.
        status: The status of a success.
        access: Which credential the operation takes.
        query: The model of the query parameters.
        body: The model of the JSON body.
        form: The model of the multipart form.
        errors: Refusals besides those of access, limits and input.
        documented_errors: Refusals that the page shows.
        enveloped: Whether the answer has an envelope.
        bare_if: Which options send the answer without its envelope.
        idempotent: Whether idempotency keys count.
        deprecated: Whether the answer has the documented deprecation headers.
        documented: Whether the reference lists the operation.
        provenance: How method and path are known.
        status_provenance: How the success status is known.
        status_option: The option that has another success status, where it is assumed.
        largest_file: The maximum size of a file in the form, in bytes.
        file_type: The media type of the file in the form.
        links: Operations that take values of the answer.
        guide: The page of these docs with more about it.
    """

    method: str
    path: str
    _: KW_ONLY
    operation_id: str
    summary: str
    tag: str
    page: str = ""
    status: int = 200
    access: Access = "any"
    query: type[RequestModel] | None = None
    body: type[RequestModel] | None = None
    form: type[RequestModel] | None = None
    errors: tuple[int, ...] = ()
    documented_errors: tuple[int, ...] = ()
    enveloped: bool = True
    bare_if: Callable[[Options], bool] | None = None
    idempotent: bool = False
    deprecated: bool = False
    documented: bool = True
    operation_id_documented: bool = True
    provenance: _Evidence = "documented"
    status_provenance: _Evidence = "documented"
    status_option: str = ""
    largest_file: int = 0
    file_type: str = ""
    links: tuple[Link, ...] = ()
    guide: Guide | None = None

    def __call__(self, handler: Handler) -> "Operation":
        """Make an operation of a function, with its name and the model of its return annotation."""
        answer, many = _answer_of(handler)
        return Operation(
            **vars(self), name=handler.__name__, handler=handler, answer=answer, many=many
        )


@dataclass(frozen=True, kw_only=True)
class Operation(OperationRow):
    """A row with its function.

    Attributes:
        name: The function's name, by which tests call the operation.
        handler: The function.
        answer: The model of the answer, or of each item of a list.
        many: Whether the answer is a list.
    """

    name: str
    handler: Handler
    answer: type[WireModel] | None
    many: bool

    @cached_property
    def permission(self) -> Permission:
        """The permission that a credential needs (assumed)."""
        return "read" if self.method == "GET" else "write"

    @cached_property
    def limited(self) -> bool:
        """Whether the documented limit on writes counts; token requests have their own."""
        return self.method != "GET" and self.access != "public"

    @cached_property
    def largest_body(self) -> int:
        """The size of a body with the largest file, in bytes; 0 where no file is taken."""
        return self.largest_file + _FORM_AROUND_A_FILE if self.largest_file else 0

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def refusals(self) -> tuple[int, ...]:
        """Every 4xx status that the operation can answer with, in order."""
        found = {*self.errors, *self.documented_errors}
        if self.access != "public":
            found |= {401, 403}
        if self.parameters:
            found.add(404)
        if self.query or self.body or self.form:
            found.add(400)
        if self.idempotent:
            found |= {400, 422}
        if self.method != "GET":
            found |= {413, 429}
        if self.deprecated:
            found.add(410)
        return tuple(sorted(found))

    def status_under(self, options: Options) -> int:
        """The status of a success under these options."""
        return int(getattr(options, self.status_option)) if self.status_option else self.status

    def refusals_under(self, options: Options) -> tuple[int, ...]:
        """Every 4xx status that the operation can answer with under these options, in order."""
        found = set(self.refusals)
        if options.sunset != "gone":
            found.discard(410)
        if self.parameters and options.malformed_id == "invalid_input":
            found.add(400)
        if self.name == "create_agent" and options.duplicate_agent == "conflict":
            found.add(409)
        return tuple(sorted(found))

    @property
    def fidelity(self) -> dict[str, str]:
        """How the operation, its id and its success status are known, and from which page."""
        known = {
            "operation": self.provenance,
            "operationId": "documented" if self.operation_id_documented else "assumed",
            "status": self.status_provenance,
        }
        return known | ({"source": self.page} if self.page else {})

    def is_bare(self, options: Options) -> bool:
        """Whether the answer goes without an envelope under these options."""
        return not self.enveloped or (self.bare_if is not None and self.bare_if(options))


operation = OperationRow
"""The decorator: ``@operation("GET", "/v1/agents", ...)`` above a function that takes a call."""


def _answer_of(handler: Handler) -> tuple[type[WireModel] | None, bool]:
    hint: object = handler.__annotations__["return"]
    many = get_origin(hint) is list
    answer = get_args(hint)[0] if many else hint
    if isinstance(answer, type) and issubclass(answer, WireModel):
        return answer, many
    return None, many
