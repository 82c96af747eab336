"""Agents: individuals, found by their National Producer Number.

Members and their order are documented (AgentEntryResponse); that
``downstreamEntityAssociationId`` is among them is documented too, its place is assumed.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field

from pytest_turris.core.clock import Clock
from pytest_turris.core.model import Email, ObjectId, Timestamp, TurrisModel
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.records import Collection, Record, RecordError
from pytest_turris.core.resources.associations import Associations
from pytest_turris.core.resources.subscriptions import EntityInfo, NiprDataSubscription

_FIRST_NAMES = ("Avery", "Blake", "Casey", "Drew", "Emery", "Finley", "Harper", "Jordan", "Quinn")
_LAST_NAMES = ("Adams", "Baker", "Chen", "Diaz", "Evans", "Garcia", "Hughes", "Kim", "Lopez")


class Agent(TurrisModel):
    """The person."""

    id: ObjectId = Field(alias="_id")
    npn: str
    first_name: str
    middle_name: str | None = None
    last_name: str
    downstream_entity_agent_association_ids: list[ObjectId] = Field(default_factory=list)
    created_at: Timestamp
    updated_at: Timestamp


class Authority(TurrisModel):
    """Where an agent may sell a product."""

    upstream_entity_product_id: ObjectId
    requested_states: list[str]
    approved_states: list[str]


class AgentEntry(Record):
    """An agent as one upstream entity knows it: list item, get and create."""

    off_wire: ClassVar[frozenset[str]] = frozenset({"association_ids"})

    agent: Agent
    onboarding_category: str = "addition"
    nipr_data_subscription: NiprDataSubscription | None = None
    is_uploaded_by_upstream_entity: bool = True
    is_deleted: bool = False
    is_archived: bool = False
    authority: list[Authority] = Field(default_factory=list)
    email: Email | None = None
    is_deliverable: bool | None = None
    external_id: str | None = None
    downstream_entity_association_id: ObjectId | None = None
    association_ids: list[ObjectId] = Field(default_factory=list)

    @property
    def key(self) -> str:
        """The ``agentId``."""
        return self.agent.id

    @property
    def id(self) -> str:
        """The ``agentId``."""
        return self.agent.id

    @property
    def npn(self) -> str:
        """The agent's National Producer Number."""
        return self.agent.npn


class Agents(Collection[AgentEntry]):
    """The agents of the upstream entity."""

    kind = AgentEntry

    def __init__(
        self,
        clock: Clock,
        randomness: Randomness,
        upstream_entity_id: str,
        associations: Associations,
    ) -> None:
        super().__init__(clock, randomness)
        self.upstream_entity_id = upstream_entity_id
        self._associations = associations

    def add(
        self,
        *,
        npn: str | None = None,
        first_name: str | None = None,
        middle_name: str | None = None,
        last_name: str | None = None,
        email: str | None = None,
        external_id: str | None = None,
        downstream_entity_association_id: str | None = None,
        is_deleted: bool = False,
        is_archived: bool = False,
        is_uploaded_by_upstream_entity: bool = True,
        authority: Iterable[Authority | dict[str, Any]] = (),
    ) -> AgentEntry:
        """An agent; NPN and names are made up where not given, NIPR data counts as in sync.

        An NPN that is known already gives the same agent, joined to the association too
        (assumed: what Turris does with a second one is not documented).

        Raises:
            RecordError: A value does not fit, or there is no such association.
        """
        association_id = downstream_entity_association_id
        if association_id and self._associations.find(association_id) is None:
            raise RecordError(f"no association with id {association_id!r}; add it first")
        npn = npn or self._randomness.number("npn", 8)
        entry = self.with_npn(npn) or self.make(
            agent=self._person(npn, first_name, middle_name, last_name),
            nipr_data_subscription=self._subscription(npn),
            is_uploaded_by_upstream_entity=is_uploaded_by_upstream_entity,
            is_deleted=is_deleted,
            is_archived=is_archived,
            authority=list(authority),
            email=email,
            is_deliverable=True if email else None,
            external_id=external_id,
            downstream_entity_association_id=association_id,
        )
        if association_id and association_id not in entry.association_ids:
            entry.association_ids.append(association_id)
            links = entry.agent.downstream_entity_agent_association_ids
            links.append(self._randomness.object_id())
        return entry

    def with_npn(self, npn: str) -> AgentEntry | None:
        """The agent of that NPN."""
        return next((entry for entry in self if entry.npn == npn), None)

    def _person(
        self, npn: str, first: str | None, middle: str | None, last: str | None
    ) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "id": self._randomness.object_id(),
            "npn": npn,
            "first_name": first or self._pick(_FIRST_NAMES),
            "middle_name": middle,
            "last_name": last or self._pick(_LAST_NAMES),
            "created_at": now,
            "updated_at": now,
        }

    def _pick(self, names: tuple[str, ...]) -> str:
        return names[int(self._randomness.digest("name"), 16) % len(names)]

    def _subscription(self, npn: str) -> dict[str, Any]:
        return {
            "data_owner_id": self.upstream_entity_id,
            "entity_model": "Agent",
            "entity_info": EntityInfo(status="success", job_id=self._randomness.object_id()),
            "npn": npn,
            "last_synchronization_date": self._clock.now(),
        }
