"""A call: one request on its way through the sandbox, with all that is found out about it."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pytest_turris.core.access.authentication import Caller
from pytest_turris.core.access.credentials import ApiClient, Credentials, Permission
from pytest_turris.core.access.tokens import AccessToken, Tokens
from pytest_turris.core.entity.entity import UpstreamEntity
from pytest_turris.core.entity.records import EntityRecords
from pytest_turris.core.middleware.limits import Bucket, Limits
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.outbox import Outbox
from pytest_turris.core.resources.collection import WireModel
from pytest_turris.core.wire.hosts import Environment
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.wire.model import RequestModel
from pytest_turris.core.wire.validation import read_body, read_multipart, read_query

Model = TypeVar("Model", bound=RequestModel)
Payload = WireModel | Sequence[WireModel] | dict[str, Any] | None
Access = Literal["public", "oauth", "restricted", "any"]
_FORM_AROUND_A_FILE = 65_536

Provenance = Literal["documented", "derived", "assumed"]


@dataclass(kw_only=True)
class Call:
    """What an operation may use, and what it leaves for the response and the journal."""

    request: Request
    at: dt.datetime
    request_id: str
    environment: Environment
    entity: UpstreamEntity
    credentials: Credentials
    tokens: Tokens
    limits: Limits
    options: Options
    open_outbox: Callable[[], Outbox] = field(repr=False)
    operation: "Operation | None" = None
    parameters: dict[str, str] = field(default_factory=dict)
    caller: Caller | None = None
    notes: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay: dt.timedelta = dt.timedelta(0)
    bare: bool = False
    """Whether the answer goes without an envelope."""

    @property
    def records(self) -> EntityRecords:
        """The records of the entity, one attribute for each kind."""
        return self.entity.records

    @property
    def outbox(self) -> Outbox:
        """The registered webhooks and what waits to be sent, with all that happened by now."""
        return self.open_outbox()

    def body(self, model: type[Model]) -> Model:
        """The validated JSON body. Raises InvalidInput."""
        return read_body(model, self.request, self.notes, self.options.unknown_fields)

    def form(self, model: type[Model]) -> Model:
        """The validated multipart form. Raises InvalidInput."""
        return read_multipart(model, self.request, self.notes, self.options.unknown_fields)

    def query(self, model: type[Model]) -> Model:
        """The validated query parameters. Raises InvalidInput."""
        return read_query(model, self.request, self.notes, self.options.unknown_fields)

    def spend(self, bucket: Bucket, credential: str) -> None:
        """Count the call against a rate limit. Raises RateLimitExceeded."""
        self.headers += self.limits.spend(bucket, credential)

    def identify(self, client: ApiClient, token: AccessToken | None = None) -> None:
        """Tell the journal whose call it is."""
        self.caller = Caller(client, token)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A row of the route table: what is answered, what is described, and how it is known.

    ``page`` is the documented page's slug below ``api-reference/v1/``, or the guide.
    ``operation_id`` is the documented one where ``operation_id_documented``; else it is made
    up in the same form. ``provenance`` says how method and path are known,
    ``status_provenance`` the same of the success status. ``errors`` are the refusals of its
    own, besides those of its access, its limits and its input; ``documented_errors`` were seen.
    """

    name: str
    method: str
    path: str
    operation_id: str
    handler: Callable[[Call], Payload]
    summary: str = ""
    tag: str = ""
    page: str = ""
    status: int = 200
    access: Access = "any"
    query: type[RequestModel] | None = None
    body: type[RequestModel] | None = None
    form: type[RequestModel] | None = None
    answer: type[WireModel] | None = None
    many: bool = False
    errors: tuple[int, ...] = ()
    documented_errors: tuple[int, ...] = ()
    enveloped: bool = True
    idempotent: bool = False
    deprecated: bool = False
    documented: bool = True
    operation_id_documented: bool = True
    provenance: Provenance = "documented"
    status_provenance: Provenance = "documented"
    largest_file: int = 0

    @property
    def permission(self) -> Permission:
        """What a credential needs (assumed)."""
        return "read" if self.method == "GET" else "write"

    @property
    def limited(self) -> bool:
        """Whether the documented limit on writes counts; the token limit is its own."""
        return self.method != "GET" and self.access != "public"

    @property
    def largest_body(self) -> int:
        """How long a body with the largest file may be, in bytes; 0: as any other."""
        return self.largest_file + _FORM_AROUND_A_FILE if self.largest_file else 0

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def refusals(self) -> tuple[int, ...]:
        """Every 4xx that it can answer with, in order."""
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
