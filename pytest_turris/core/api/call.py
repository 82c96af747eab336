"""A call: one request on its way through the sandbox, with everything known about it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from pytest_turris.core.access.authentication import Caller
from pytest_turris.core.access.credential import ApiClient
from pytest_turris.core.access.credentials import Credentials
from pytest_turris.core.access.tokens import AccessToken, Tokens
from pytest_turris.core.entity.entity import UpstreamEntity
from pytest_turris.core.entity.records import EntityRecords
from pytest_turris.core.middleware.limits import Bucket, Limits
from pytest_turris.core.options import Options
from pytest_turris.core.wire.hosts import Environment
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.wire.model import RequestModel
from pytest_turris.core.wire.validation import FieldRules, read_body, read_multipart, read_query

if TYPE_CHECKING:
    from pytest_turris.core.outbox.outbox import Outbox

Model = TypeVar("Model", bound=RequestModel)

_rules_of = cache(FieldRules)


@dataclass(kw_only=True)
class Call:
    """What an operation can use, and what it adds to the response and the journal.

    ``operation`` is the name of the operation, ``parameters`` are those of its path, ``notes``
    go to the journal, ``headers`` and ``delay`` to the response.
    """

    request: Request
    at: dt.datetime
    request_id: str
    environment: Environment
    entity: UpstreamEntity
    credentials: Credentials
    tokens: Tokens
    limits: Limits
    options: Options
    open_outbox: Callable[[], "Outbox"] = field(repr=False)
    operation: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    caller: Caller | None = None
    notes: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay: dt.timedelta = dt.timedelta(0)
    real_delay: float = 0.0
    scripted: bool = False
    """Whether the answer is an error that the test asked for."""

    @property
    def records(self) -> EntityRecords:
        """The records of the entity, one attribute for each kind."""
        return self.entity.records

    @property
    def outbox(self) -> "Outbox":
        """The registered webhooks and what waits to be sent, with all that happened by now."""
        return self.open_outbox()

    @property
    def credential_name(self) -> str:
        """The name of the caller's credential, or an empty text."""
        return self.caller.credential.name if self.caller else ""

    def body(self, model: type[Model], renamed: tuple[str, str] | None = None) -> Model:
        """The validated JSON body, a member of which may be renamed. Raises InvalidInput."""
        rules = self._rules._replace(renamed=renamed) if renamed else self._rules
        return read_body(model, self.request, self.notes, rules)

    def form(self, model: type[Model]) -> Model:
        """The validated multipart form. Raises InvalidInput."""
        return read_multipart(model, self.request, self.notes, self._rules)

    def query(self, model: type[Model]) -> Model:
        """The validated query parameters. Raises InvalidInput."""
        return read_query(model, self.request, self.notes, self._rules)

    @property
    def _rules(self) -> FieldRules:
        return _rules_of(self.options.unknown_fields, self.options.missing_member)

    def spend(self, bucket: Bucket, credential: str) -> None:
        """Count the call against a rate limit. Raises RateLimitExceeded."""
        self.headers += self.limits.spend(bucket, credential, self.operation or "")

    def identify(self, client: ApiClient, token: AccessToken | None = None) -> None:
        """Record the caller for the journal, if the credential is in the body."""
        self.caller = Caller(client, token)
