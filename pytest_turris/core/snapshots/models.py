"""The models of a snapshot: each member with its type. Records have models of their own.

Only ``restore`` imports this module: most tests restore nothing.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic_core import ValidationError

from pytest_turris.core.access.credential import Permission
from pytest_turris.core.entity.event_facts import EventKind
from pytest_turris.core.entity.records import COLLECTIONS
from pytest_turris.core.faults.fault import FailureKind
from pytest_turris.core.middleware.limits import Bucket
from pytest_turris.core.outbox.deliveries import DeliveryState
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.snapshots.values import (
    CallCount,
    Count,
    Flag,
    HostileName,
    IdText,
    NpnRows,
    Number,
    Ordinal,
    StateMoment,
    StateText,
    UploadRow,
    Whole,
    WholeNumber,
    unwritable,
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

    seed: StateText
    drawn: dict[str, Count]


class ClientPart(StatePart):
    """An API client."""

    client_id: StateText
    client_secret: StateText
    environment: Environment
    permissions: list[Permission]
    revoked: Flag
    previous_secret: Annotated[StateText, Field(min_length=1)] | None
    previous_until: StateMoment | None
    overlap_seconds: Number = 0.0


class RestrictedPart(StatePart):
    """A restricted access token."""

    token: StateText
    allowed: list[StateText]
    permissions: list[Permission]
    environment: Environment
    revoked: Flag


class CredentialsPart(StatePart):
    """All credentials."""

    clients: list[ClientPart]
    restricted: list[RestrictedPart]


class TokenPart(StatePart):
    """An access token."""

    text: StateText
    jti: StateText
    client_id: StateText
    environment: Environment
    issued_at: StateMoment
    expires_at: StateMoment
    revoked: Flag


class FaultPart(StatePart):
    """A scripted fault."""

    operation: StateText
    status: Whole | None
    error: FailureKind | None
    delay: WholeNumber
    real_delay: Number = 0.0
    headers: dict[str, StateText]
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

    number: Ordinal
    at: StateMoment
    environment: StateText
    method: StateText
    target: StateText
    operation: StateText | None
    status: Count
    credential: StateText | None
    token: StateText | None
    reason: StateText
    is_client_error: Flag
    notes: list[StateText]
    request_id: StateText
    request_headers: dict[str, StateText]
    request_body: StateText
    response_body: StateText
    token_id: StateText | None
    token_in_url: Flag


class JournalPart(StatePart):
    """The journal."""

    seen: Count
    exchanges: list[ExchangePart]


class EventPart(StatePart):
    """What happened; its facts have a model of their own."""

    number: Count
    at: StateMoment
    kind: EventKind
    facts: dict[str, Any]


class EndpointPart(StatePart):
    """A registered webhook."""

    id: IdText
    url: StateText
    webhook_type: EventKind
    secret: StateText
    registered_at: StateMoment
    failures: Count
    disabled: StateText


class BatchPart(StatePart):
    """Changes that wait to be sent together; each has a model of its own."""

    kind: EventKind
    group: StateText = ""
    first: StateMoment
    last: StateMoment
    changes: dict[str, dict[str, Any]]


class DeliveryPart(StatePart):
    """An event on its way to a webhook."""

    number: Count
    endpoint_id: StateText
    webhook_type: StateText
    event: dict[str, Any]
    due: StateMoment
    state: DeliveryState
    attempts: Count
    resends: Count
    body: StateText
    headers: list[tuple[StateText, StateText]]


class AttemptPart(StatePart):
    """An attempt to deliver a webhook."""

    delivery: Count
    attempt: Count
    at: StateMoment
    status: Count | None
    latency: Number
    error: StateText
    signature: StateText
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
    settled_at: StateMoment
    events: list[EventPart]
    watch: list[
        tuple[StateText, list[tuple[StateText, StateText, StateText, StateText, StateText]]]
    ]


WholeEntityPart: type[EntityPart] = create_model(
    "WholeEntityPart",
    __base__=EntityPart,
    __doc__="The upstream entity.",
    **dict.fromkeys(COLLECTIONS, (list[dict[str, Any]], ...))  # type: ignore[call-overload] # one for each collection
    | {"npns": (NpnRows, ...), "uploads": (list[UploadRow], ...)},
)


class SnapshotPart(StatePart):
    """A whole snapshot."""

    version: Literal[2]
    clock: ClockPart
    client: StateText
    token_requests: Count
    faults_made: Count
    randomness: RandomnessPart
    entity: EntityPart
    outbox: OutboxPart
    credentials: CredentialsPart
    tokens: list[TokenPart]
    limits: list[
        tuple[Bucket, StateText, list[StateMoment]]
        | tuple[Bucket, StateText, tuple[StateMoment, StateMoment], CallCount]
    ]
    idempotency: list[
        tuple[
            tuple[StateText, StateText, StateText],
            StateText,
            StateMoment,
            Count,
            list[tuple[StateText, StateText]],
            StateText,
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
