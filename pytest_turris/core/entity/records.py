"""The records of an upstream entity: one collection for each kind, and how they are related."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Final, Generic, NoReturn, Self, TypeVar, overload

from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.clock import Clock
from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.agents import AgentEntry, Agents
from pytest_turris.core.resources.appointments import Appointments
from pytest_turris.core.resources.associations import Association, Associations
from pytest_turris.core.resources.collection import ChangeListener, Collection
from pytest_turris.core.resources.contacts import Contacts
from pytest_turris.core.resources.coverages import Coverages
from pytest_turris.core.resources.documents import FileDocuments
from pytest_turris.core.resources.licenses import Licenses
from pytest_turris.core.resources.npns import Npns
from pytest_turris.core.resources.policies import Policies
from pytest_turris.core.resources.products import Products
from pytest_turris.core.resources.regulatory_actions import RegulatoryActions
from pytest_turris.core.resources.subscriptions import paused, resumed
from pytest_turris.core.resources.templates import ContractContainerTemplates
from pytest_turris.core.resources.uploads import Uploads
from pytest_turris.core.undo import Undo

Owner = AgentEntry | Association
"""An agent or association: it has a NIPR data subscription."""


def is_pending(owner: Owner) -> bool:
    """Whether NIPR's data about an owner is still missing: no fetch has succeeded."""
    subscription = owner.nipr_data_subscription
    return subscription is not None and subscription.is_pending


C = TypeVar("C", bound=Collection[Any])


class CollectionAttribute(Generic[C]):
    """An attribute whose value is a collection, which its object finds."""

    def __init__(self, kind: type[C]) -> None:
        self.kind = kind
        self.__doc__ = kind.__doc__

    @overload
    def __get__(self, holder: None, owner: type) -> Self: ...
    @overload
    def __get__(self, holder: "Collections", owner: type) -> C: ...
    def __get__(self, holder: "Collections | None", owner: type) -> Self | C:
        return self if holder is None else holder.collection(self.kind)

    def __set_name__(self, owner: type, name: str) -> None:
        self.kind.attribute = name

    def __set__(self, holder: "Collections", value: object) -> NoReturn:
        raise AttributeError(f"{self.kind.__name__} cannot be replaced; use its add and remove")


class Collections(ABC):
    """The collections of an upstream entity: ``add``, ``get``, ``update``, ``remove``, iterate.

    To add a collection, write its module in ``resources`` and one line here. Snapshots keep the
    collections in the order of these lines.
    """

    products: Final = CollectionAttribute(Products)
    """The products, with what they require."""
    licenses: Final = CollectionAttribute(Licenses)
    """The licenses that NIPR knows, by NPN."""
    appointments: Final = CollectionAttribute(Appointments)
    """The appointments that NIPR knows, by NPN."""
    regulatory_actions: Final = CollectionAttribute(RegulatoryActions)
    """The regulatory actions that NIPR knows, by NPN."""
    npns: Final = CollectionAttribute(Npns)
    """The producers that an NPN lookup finds besides agents and agencies."""
    associations: Final = CollectionAttribute(Associations)
    """The downstream entity associations."""
    agents: Final = CollectionAttribute(Agents)
    """The agents."""
    contacts: Final = CollectionAttribute(Contacts)
    """The people at the agencies."""
    documents: Final = CollectionAttribute(FileDocuments)
    """The file documents."""
    templates: Final = CollectionAttribute(ContractContainerTemplates)
    """The contract container templates."""
    coverages: Final = CollectionAttribute(Coverages)
    """The agencies' E&O and Cyber policies."""
    policies: Final = CollectionAttribute(Policies)
    """The ingested policies."""
    uploads: Final = CollectionAttribute(Uploads)
    """The uploaded policy files: get, iterate, clarify, cancel, fail."""

    @abstractmethod
    def collection(self, kind: type[C]) -> C:
        """The collection of one kind, such as ``Agents``: what the attribute of its name gives."""


class EntityRecords(Collections):
    """The records that an upstream entity has. A collection is made when it is first used.

    Most tests need two or three of them, and every test makes a sandbox.
    """

    def __init__(
        self,
        clock: Clock,
        randomness: Randomness,
        options: Options,
        listener: ChangeListener,
        undo: Undo | None = None,
    ) -> None:
        self.clock = clock
        self.randomness = randomness
        self.options = options
        self.listener = listener
        self.changes: Changes | None = None
        self.undo: Undo = undo or Undo()
        self.are_many: bool = False
        """Whether a collection had ``MANY`` records since the last restore."""
        own_id = randomness.object_id()  # always made, so that the ids after it stay the same
        self.upstream_entity_id: str = options.upstream_entity_id or own_id
        self._made: dict[type[Collection[Any]], Any] = {}

    def collection(self, kind: type[C]) -> C:
        """The collection of one kind; threads that ask at the same time get the same one."""
        found: C | None = self._made.get(kind)
        return self._made.setdefault(kind, kind(self)) if found is None else found

    def owner(self, subscription_id: str) -> Owner | None:
        """The agent or association with a NIPR data subscription."""
        return self.agents.one_where(subscription=subscription_id) or self.associations.one_where(
            subscription=subscription_id
        )

    def owners(self, npn: str) -> list[Owner]:
        """The agents and associations with an NPN."""
        return [*self.agents.where(npn=npn), *self.associations.where(npn=npn)]

    def remove_dependents(self, association: Association) -> None:
        """Remove what a removed association had: documents, people, coverage. Its agents stay."""
        for entry in self.agents.where(association=association.id):
            self.agents.leave(entry, association.id)
        self.contacts.leave(association)
        for document in self.documents.where(association=association.id):
            self.documents.remove(document)
        self.coverages.leave(association.id)

    def follow_deletion(self, association: Association) -> None:
        """Soft-delete or restore an association's agents and PDB alerts with it (help centre).

        An agent at another agency, or one that was deleted alone, does not change.
        """
        gone, now = association.is_deleted, self.clock.now()
        for entry in self.agents.where(association=association.id):
            subscription = entry.nipr_data_subscription
            if gone and not entry.is_deleted and not self._is_elsewhere(entry):
                self.agents.update(
                    entry,
                    is_deleted=True,
                    deleted_with=association.id,
                    nipr_data_subscription=paused(subscription, now),
                )
            elif not gone and entry.deleted_with is not None:
                self.agents.undelete(entry)
        own = association.nipr_data_subscription
        self.associations.update(
            association, nipr_data_subscription=paused(own, now) if gone else resumed(own)
        )

    def _is_elsewhere(self, entry: AgentEntry) -> bool:
        return any(not self.associations.get(one).is_deleted for one in entry.association_ids)

    def rows(self) -> Iterator[Row]:
        """All records as rows of the state."""
        for name, kind in COLLECTIONS.items():
            yield from ((f"entity.{name}", key, row) for key, row in self.collection(kind).rows())

    def snapshot(self) -> dict[str, Any]:
        """All records as JSON data, by the name of their collection."""
        return {name: self.collection(kind).snapshot() for name, kind in COLLECTIONS.items()}

    def restore(self, data: dict[str, Any]) -> None:
        """Replace all records with a snapshot's."""
        self.are_many = False
        for name, kind in COLLECTIONS.items():
            self.collection(kind).restore(data[name])


COLLECTIONS: dict[str, type[Collection[Any]]] = {
    name: member.kind
    for name, member in vars(Collections).items()
    if isinstance(member, CollectionAttribute)
}
"""The collections by the name of their attribute."""
