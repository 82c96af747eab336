"""The models of a snapshot: each member with its type. Records have models of their own.

Only ``restore`` imports this module: most tests restore nothing. Moments are checked as text, since
a model with dates cannot be built while freezegun runs.
"""

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, create_model
from pydantic_core import PydanticCustomError, ValidationError

from pytest_turris.core.access.credential import Permission
from pytest_turris.core.entity.event_models import EventKind
from pytest_turris.core.entity.records import COLLECTIONS
from pytest_turris.core.faults.scripted import FailureKind
from pytest_turris.core.middleware.limits import Bucket
from pytest_turris.core.outbox.deliveries import State
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.wire.building import ModelBuilding
from pytest_turris.core.wire.hosts import Environment

_SHOWN = 3


def is_moment(text: str) -> bool:
    """Whether a text is a moment in ISO 8601 with its time zone."""
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _checked_moment(text: str) -> str:
    if not is_moment(text):
        raise PydanticCustomError("moment", "must be a moment in ISO 8601 with its time zone")
    return text


Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Count = Annotated[int, Strict(), Field(ge=0)]
CallCount = Annotated[int, Strict(), Field(ge=2, le=10_000_000)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Moment = Annotated[Text, AfterValidator(_checked_moment)]


class Part(BaseModel):
    """A JSON object of a snapshot: all members are there, and no others."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", defer_build=ModelBuilding.is_deferred
    )


class ClockPart(Part):
    """How far the sandbox's clock is from the clock of its process."""

    offset_us: Whole


class RandomnessPart(Part):
    """Where ids and secrets come from."""

    seed: Text
    drawn: dict[str, Count]


class ClientPart(Part):
    """An API client."""

    client_id: Text
    client_secret: Text
    environment: Environment
    permissions: list[Permission]
    revoked: Flag
    previous_secret: Text | None
    previous_until: Moment | None


class RestrictedPart(Part):
    """A restricted access token."""

    token: Text
    allowed: list[Text]
    permissions: list[Permission]
    environment: Environment
    revoked: Flag


class CredentialsPart(Part):
    """All credentials."""

    clients: list[ClientPart]
    restricted: list[RestrictedPart]


class TokenPart(Part):
    """An access token."""

    text: Text
    jti: Text
    client_id: Text
    environment: Environment
    issued_at: Moment
    expires_at: Moment
    revoked: Flag


class FaultPart(Part):
    """A scripted fault."""

    operation: Text
    status: Whole | None
    error: FailureKind | None
    delay: Number
    real_delay: Number = 0.0
    headers: dict[str, Text]
    times: Count | None
    processed: Flag
    optional: Flag
    fired: Count
    hostile: Text | None
    writes_only: Flag
    max_seconds: Number
    number: Count = 0


class ExchangePart(Part):
    """An exchange in the journal."""

    number: Count
    at: Moment
    environment: Text
    method: Text
    target: Text
    operation: Text | None
    status: Count
    credential: Text | None
    token: Text | None
    reason: Text
    is_client_error: Flag
    notes: list[Text]
    request_id: Text
    request_headers: dict[str, Text]
    request_body: Text
    response_body: Text
    token_id: Text | None
    token_in_url: Flag


class JournalPart(Part):
    """The journal."""

    seen: Count
    exchanges: list[ExchangePart]


class EventPart(Part):
    """What happened; its facts have a model of their own."""

    number: Count
    at: Moment
    kind: EventKind
    facts: dict[str, Any]


class EndpointPart(Part):
    """A registered webhook."""

    id: Text
    url: Text
    webhook_type: EventKind
    secret: Text
    registered_at: Moment
    failures: Count
    disabled: Text


class BatchPart(Part):
    """Changes that wait to be sent together; each has a model of its own."""

    kind: EventKind
    group: Text = ""
    first: Moment
    last: Moment
    changes: dict[str, dict[str, Any]]


class DeliveryPart(Part):
    """An event on its way to a webhook."""

    number: Count
    endpoint_id: Text
    webhook_type: Text
    event: dict[str, Any]
    due: Moment
    state: State
    attempts: Count
    resends: Count
    body: Text
    headers: list[tuple[Text, Text]]


class AttemptPart(Part):
    """An attempt to deliver a webhook."""

    delivery: Count
    attempt: Count
    at: Moment
    status: Count | None
    latency: Number
    error: Text
    signature: Text
    retry_after: Number | None


class OutboxPart(Part):
    """The outbox."""

    endpoints: list[EndpointPart]
    debounce: list[BatchPart]
    seen: Count
    made: Count
    attempted: Count
    resends: list[Count]
    waiting: list[DeliveryPart]
    settled: list[DeliveryPart]
    attempts: list[AttemptPart]


class EntityPart(Part):
    """The upstream entity, without its collections."""

    id: Text
    settled_at: Moment
    events: list[EventPart]
    watch: list[tuple[Text, list[tuple[Text, Text, Text, Text, Text]]]]


WholeEntityPart: type[EntityPart] = create_model(
    "WholeEntityPart",
    __base__=EntityPart,
    __doc__="The upstream entity.",
    **dict.fromkeys(COLLECTIONS, (list[dict[str, Any]], ...)),  # type: ignore[call-overload] # one for each collection
)


class SnapshotPart(Part):
    """A whole snapshot."""

    version: Literal[2]
    clock: ClockPart
    client: Text
    token_requests: Count
    faults_made: Count
    randomness: RandomnessPart
    entity: EntityPart
    outbox: OutboxPart
    credentials: CredentialsPart
    tokens: list[TokenPart]
    limits: list[
        tuple[Bucket, Text, list[Moment]] | tuple[Bucket, Text, tuple[Moment, Moment], CallCount]
    ]
    idempotency: list[
        tuple[tuple[Text, Text, Text], Text, Moment, Count, list[tuple[Text, Text]], Text]
    ]
    faults: list[FaultPart]
    journal: JournalPart


WHOLE: type[SnapshotPart] = create_model(
    "SnapshotPart", __base__=SnapshotPart, entity=(WholeEntityPart, ...)
)
"""With each collection in its entity."""


def check(snapshot: dict[str, Any]) -> None:
    """Refuse data that does not fit the models.

    Raises:
        SnapshotError: It names the first members that do not fit, without their values.
    """
    try:
        WHOLE.model_validate(snapshot)
    except ValidationError as error:
        rows = error.errors(include_url=False, include_input=False, include_context=False)
        found = [f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows[:_SHOWN]]
        more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        raise SnapshotError(f"not a whole snapshot: {'; '.join(found)}{more}") from None
