"""The models of a snapshot: each member with its type. Records have models of their own.

Only ``restore`` imports this module: most tests restore nothing.
"""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, create_model
from pydantic_core import ValidationError

from pytest_turris.core.access.credential import Permission
from pytest_turris.core.entity.event_facts import EventKind
from pytest_turris.core.entity.records import COLLECTIONS
from pytest_turris.core.faults.scripted import FailureKind
from pytest_turris.core.middleware.limits import Bucket
from pytest_turris.core.outbox.deliveries import DeliveryState
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.snapshots.values import (
    CallCount,
    Count,
    Flag,
    HostileName,
    IdText,
    Number,
    UploadRow,
    Whole,
    unwritable,
)
from pytest_turris.core.snapshots.values import (
    StateMoment as _Moment,
)
from pytest_turris.core.snapshots.values import (
    StateText as _Text,
)
from pytest_turris.core.wire.building import ModelBuilding
from pytest_turris.core.wire.hosts import Environment

_SHOWN = 3


class StatePart(BaseModel):
    """A JSON object of a snapshot, with exactly these members."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", defer_build=ModelBuilding.is_deferred
    )


class ClockPart(StatePart):
    """The offset of the sandbox's clock from the clock of its process."""

    offset_us: Whole


class RandomnessPart(StatePart):
    """Where ids and secrets come from."""

    seed: _Text
    drawn: dict[str, Count]


class ClientPart(StatePart):
    """An API client."""

    client_id: _Text
    client_secret: _Text
    environment: Environment
    permissions: list[Permission]
    revoked: Flag
    previous_secret: _Text | None
    previous_until: _Moment | None
    overlap_seconds: Number = 0.0


class RestrictedPart(StatePart):
    """A restricted access token."""

    token: _Text
    allowed: list[_Text]
    permissions: list[Permission]
    environment: Environment
    revoked: Flag


class CredentialsPart(StatePart):
    """All credentials."""

    clients: list[ClientPart]
    restricted: list[RestrictedPart]


class TokenPart(StatePart):
    """An access token."""

    text: _Text
    jti: _Text
    client_id: _Text
    environment: Environment
    issued_at: _Moment
    expires_at: _Moment
    revoked: Flag


class FaultPart(StatePart):
    """A scripted fault."""

    operation: _Text
    status: Whole | None
    error: FailureKind | None
    delay: Number
    real_delay: Number = 0.0
    headers: dict[str, _Text]
    times: Count | None
    processed: Flag
    optional: Flag
    fired: Count
    hostile: HostileName | None
    writes_only: Flag
    max_seconds: Number
    number: Count = 0


class ExchangePart(StatePart):
    """An exchange in the journal."""

    number: Count
    at: _Moment
    environment: _Text
    method: _Text
    target: _Text
    operation: _Text | None
    status: Count
    credential: _Text | None
    token: _Text | None
    reason: _Text
    is_client_error: Flag
    notes: list[_Text]
    request_id: _Text
    request_headers: dict[str, _Text]
    request_body: _Text
    response_body: _Text
    token_id: _Text | None
    token_in_url: Flag


class JournalPart(StatePart):
    """The journal."""

    seen: Count
    exchanges: list[ExchangePart]


class EventPart(StatePart):
    """What happened; its facts have a model of their own."""

    number: Count
    at: _Moment
    kind: EventKind
    facts: dict[str, Any]


class EndpointPart(StatePart):
    """A registered webhook."""

    id: IdText
    url: _Text
    webhook_type: EventKind
    secret: _Text
    registered_at: _Moment
    failures: Count
    disabled: _Text


class BatchPart(StatePart):
    """Changes that wait to be sent together; each has a model of its own."""

    kind: EventKind
    group: _Text = ""
    first: _Moment
    last: _Moment
    changes: dict[str, dict[str, Any]]


class DeliveryPart(StatePart):
    """An event on its way to a webhook."""

    number: Count
    endpoint_id: _Text
    webhook_type: _Text
    event: dict[str, Any]
    due: _Moment
    state: DeliveryState
    attempts: Count
    resends: Count
    body: _Text
    headers: list[tuple[_Text, _Text]]


class AttemptPart(StatePart):
    """An attempt to deliver a webhook."""

    delivery: Count
    attempt: Count
    at: _Moment
    status: Count | None
    latency: Number
    error: _Text
    signature: _Text
    retry_after: Number | None


class OutboxPart(StatePart):
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


class EntityPart(StatePart):
    """The upstream entity, without its collections."""

    id: IdText
    settled_at: _Moment
    events: list[EventPart]
    watch: list[tuple[_Text, list[tuple[_Text, _Text, _Text, _Text, _Text]]]]


WholeEntityPart: type[EntityPart] = create_model(
    "WholeEntityPart",
    __base__=EntityPart,
    __doc__="The upstream entity.",
    **dict.fromkeys(COLLECTIONS, (list[dict[str, Any]], ...)) | {"uploads": (list[UploadRow], ...)},  # type: ignore[call-overload] # one for each collection
)


class SnapshotPart(StatePart):
    """A whole snapshot."""

    version: Literal[2]
    clock: ClockPart
    client: _Text
    token_requests: Count
    faults_made: Count
    randomness: RandomnessPart
    entity: EntityPart
    outbox: OutboxPart
    credentials: CredentialsPart
    tokens: list[TokenPart]
    limits: list[
        tuple[Bucket, _Text, list[_Moment]]
        | tuple[Bucket, _Text, tuple[_Moment, _Moment], CallCount]
    ]
    idempotency: list[
        tuple[
            tuple[_Text, _Text, _Text],
            _Text,
            _Moment,
            Count,
            list[tuple[_Text, _Text]],
            _Text,
        ]
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
    if place := unwritable(snapshot):
        raise SnapshotError(f"not a whole snapshot: {place}: JSON has no form for this value")
