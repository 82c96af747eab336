"""Agents: individuals, found by their National Producer Number.

Members and their order are documented (AgentEntryResponse); ``downstreamEntityAssociationId`` is
a documented member, its position is assumed.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from pytest_turris.core.resources.associations import Associations
from pytest_turris.core.resources.collection import (
    Collection,
)
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.npns import Npns
from pytest_turris.core.resources.record import Record, RecordError, WireModel
from pytest_turris.core.resources.subscriptions import NiprDataSubscription, resumed, subscribed
from pytest_turris.core.wire.model import Email, ObjectId, Timestamp

_FIRST_NAMES = ("Avery", "Blake", "Casey", "Drew", "Emery", "Finley", "Harper", "Jordan", "Quinn")
_LAST_NAMES = ("Adams", "Baker", "Chen", "Díaz", "Evans", "García", "Núñez", "Kim", "López")


class Agent(WireModel):
    """The person. No sample has ``middleName``, so it is never ``null``."""

    never_null: ClassVar[frozenset[str]] = frozenset({"middle_name"})

    id: ObjectId = Field(alias="_id")
    npn: str
    first_name: str
    middle_name: str | None = None
    last_name: str
    downstream_entity_agent_association_ids: list[ObjectId] = Field(default_factory=list)
    created_at: Timestamp
    updated_at: Timestamp


class Authority(WireModel):
    """The states in which an agent may sell a product."""

    upstream_entity_product_id: ObjectId
    requested_states: list[str]
    approved_states: list[str]


class AgentEntry(Record):
    """An agent as one upstream entity knows it; list, get and create answer with it.

    ``deleted_with`` is the association with which the agent was soft-deleted. No sample has
    ``downstreamEntityAssociationId``, so it is never ``null``.
    """

    never_null: ClassVar[frozenset[str]] = frozenset({"downstream_entity_association_id"})
    internal_fields: ClassVar[frozenset[str]] = frozenset({"association_ids", "deleted_with"})

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
    deleted_with: ObjectId | None = None

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
    indexes: ClassVar[Indexes] = {
        "npn": lambda entry: [entry.npn],
        "association": lambda entry: entry.association_ids,
        "subscription": lambda entry: [
            entry.nipr_data_subscription and entry.nipr_data_subscription.id
        ],
    }
    flat_names: ClassVar[dict[str, tuple[str, str]]] = {
        "npn": ("agent", "npn"),
        "first_name": ("agent", "first_name"),
        "middle_name": ("agent", "middle_name"),
        "last_name": ("agent", "last_name"),
    }

    @property
    def _associations(self) -> Associations:
        return self._holder.collection(Associations)

    @property
    def _npns(self) -> Npns:
        return self._holder.collection(Npns)

    @suggest_keywords
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
        synchronized: bool = True,
    ) -> AgentEntry:
        """Add an agent, whose NIPR data is up to date; generate the NPN and names not given.

        Missing names are those that ``npns`` has for the NPN, if it has any. Unless
        ``synchronized``, the first fetch from NIPR is queued now, and brings them. With the NPN of
        a known agent, that agent is returned and joins the association (assumed: what Turris does
        with a second agent of an NPN is not documented). ``authority`` has the states requested
        and approved, for each product.

        Raises:
            RecordError: A value does not fit, or there is no such association.
        """
        association_id = self._existing(downstream_entity_association_id)
        npn = npn or self._randomness.number("npn", 8)
        # A caller without a type checker may pass anything; ``make`` validates it.
        known = self.with_npn(npn) if isinstance(npn, str) else None  # type: ignore[redundant-expr] # see above
        if known is not None:
            return self._join(known, association_id) if association_id else known
        names = {"first_name": first_name, "middle_name": middle_name, "last_name": last_name}
        if synchronized:
            names = self._completed(npn, names)
        links = [self._randomness.object_id()] if association_id else []
        return self.make(
            agent=self._person(npn, names) | {"downstream_entity_agent_association_ids": links},
            nipr_data_subscription=self._subscription(npn, synchronized=synchronized),
            is_uploaded_by_upstream_entity=is_uploaded_by_upstream_entity,
            is_deleted=is_deleted,
            is_archived=is_archived,
            authority=list(authority),
            email=email,
            is_deliverable=True if email else None,
            external_id=external_id,
            downstream_entity_association_id=association_id,
            association_ids=[association_id] if association_id else [],
        )

    def update(self, record: AgentEntry | str, **members: Any) -> AgentEntry:  # noqa: ANN401 - as in make
        """Change members; a new NPN gets a NIPR data subscription, whose first fetch is queued.

        With ``downstream_entity_association_id`` the agent joins that association.
        """
        current = self._current(record)
        npn = members.get("npn")
        if isinstance(npn, str) and npn and npn != current.npn:
            members["nipr_data_subscription"] = self._subscription(npn, synchronized=False)
        association_id = self._existing(members.pop("downstream_entity_association_id", None))
        if association_id:
            current = self._join(current, association_id)
        return super().update(current, **members) if members else current

    def undelete(self, record: AgentEntry | str) -> AgentEntry:
        """Restore an agent that was soft-deleted, and return it.

        PDB alerts that were paused with its agency are sent again.

        Raises:
            UnknownRecordError: There is none.
        """
        current = self._current(record)
        restored: dict[str, Any] = {"is_deleted": False}
        if current.deleted_with is not None:
            subscription = resumed(current.nipr_data_subscription)
            restored |= {"deleted_with": None, "nipr_data_subscription": subscription}
        return self.update(current, **restored)

    def leave(self, entry: AgentEntry, association_id: str) -> AgentEntry:
        """Remove an agent from an association."""
        left = [
            (link, joined)
            for link, joined in zip(
                entry.agent.downstream_entity_agent_association_ids,
                entry.association_ids,
                strict=True,
            )
            if joined != association_id
        ]
        return self._with_links(entry, left)

    def with_npn(self, npn: str) -> AgentEntry | None:
        """The agent with an NPN, or None."""
        return self.one_where(npn=npn)

    def _completed(self, npn: str, names: Mapping[str, str | None]) -> dict[str, str | None]:
        """Names with those that NIPR has for the NPN, or that are invented."""
        nipr = self._npns.individual(npn) if isinstance(npn, str) else {}  # type: ignore[redundant-expr] # as in add
        known = {name: text or nipr.get(name) for name, text in names.items()}
        return known | self.invented(known)

    def invented(self, names: Mapping[str, str | None]) -> dict[str, str]:
        """A first and a last name for an agent, where these names have none."""
        kinds = {"first_name": _FIRST_NAMES, "last_name": _LAST_NAMES}
        return {name: self._pick(some) for name, some in kinds.items() if not names.get(name)}

    def _existing(self, association_id: str | None) -> str | None:
        """Return the id of an association. RecordError if there is no such association."""
        if association_id and self._associations.find(association_id) is None:
            raise RecordError(f"no association with id {association_id!r}; add it first")
        return association_id

    def _join(self, entry: AgentEntry, association_id: str) -> AgentEntry:
        if association_id in entry.association_ids:
            return entry
        links = zip(
            entry.agent.downstream_entity_agent_association_ids, entry.association_ids, strict=True
        )
        return self._with_links(entry, [*links, (self._randomness.object_id(), association_id)])

    def _with_links(self, entry: AgentEntry, links: list[tuple[str, str]]) -> AgentEntry:
        agent = dict(entry.agent) | {
            "downstream_entity_agent_association_ids": [link for link, _ in links]
        }
        ids = [association_id for _, association_id in links]
        return super().update(
            entry,
            agent=agent,
            association_ids=ids,
            downstream_entity_association_id=ids[0] if ids else None,
        )

    def _with_update_time(self, current: AgentEntry, changes: dict[str, Any]) -> dict[str, Any]:
        agent = changes.get("agent", current.agent)
        if not isinstance(agent, Agent | dict):
            return changes  # update validates it
        return changes | {"agent": dict(agent) | {"updated_at": self._clock.now()}}

    def _person(self, npn: str, names: Mapping[str, str | None]) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "id": self._randomness.object_id(),
            "npn": npn,
            "first_name": names["first_name"] or "",
            "middle_name": names["middle_name"] or None,
            "last_name": names["last_name"] or "",
            "created_at": now,
            "updated_at": now,
        }

    def _pick(self, names: tuple[str, ...]) -> str:
        return names[int(self._randomness.digest("name"), 16) % len(names)]

    def _subscription(self, npn: str, *, synchronized: bool) -> dict[str, Any]:
        return subscribed(self._holder, "Agent", npn, synchronized=synchronized)
