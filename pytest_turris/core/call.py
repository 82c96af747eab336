"""A call: one request on its way through the sandbox, with all that is found out about it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from pytest_turris.core.authentication import Caller
from pytest_turris.core.credentials import ApiClient, Credentials, Environment, Permission
from pytest_turris.core.entity import UpstreamEntity
from pytest_turris.core.limits import Bucket, Limits
from pytest_turris.core.messages import Request
from pytest_turris.core.records import Record
from pytest_turris.core.tokens import AccessToken, Tokens
from pytest_turris.core.validation import read_body, read_query

Model = TypeVar("Model", bound=BaseModel)
Payload = Record | list[Record] | dict[str, Any]
Access = Literal["public", "oauth", "any"]


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
    operation: "Operation | None" = None
    parameters: dict[str, str] = field(default_factory=dict)
    caller: Caller | None = None
    notes: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay: dt.timedelta = dt.timedelta(0)

    def body(self, model: type[Model]) -> Model:
        """The validated JSON body. Raises InvalidInput."""
        return read_body(model, self.request, self.notes)

    def query(self, model: type[Model]) -> Model:
        """The validated query parameters. Raises InvalidInput."""
        return read_query(model, self.request, self.notes)

    def spend(self, bucket: Bucket, credential: str) -> None:
        """Count the call against a rate limit. Raises RateLimitExceeded."""
        self.headers += self.limits.spend(bucket, credential)

    def identify(self, client: ApiClient, token: AccessToken | None = None) -> None:
        """Tell the journal whose call it is."""
        self.caller = Caller(client, token)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A row of the route table.

    ``operation_id`` is the documented one where ``operation_id_documented``; else it is made
    up in the same form.
    """

    name: str
    method: str
    path: str
    operation_id: str
    handler: Callable[[Call], Payload]
    status: int = 200
    access: Access = "any"
    enveloped: bool = True
    idempotent: bool = False
    documented: bool = True
    operation_id_documented: bool = True

    @property
    def permission(self) -> Permission:
        """What a credential needs (assumed)."""
        return "read" if self.method == "GET" else "write"

    @property
    def limited(self) -> bool:
        """Whether the documented limit on writes counts; the token limit is its own."""
        return self.method != "GET" and self.access != "public"
