"""The records of an upstream entity, one collection for each kind, and how they hang together."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pytest_turris.core.clock import Clock
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.agents import AgentEntry, Agents
from pytest_turris.core.resources.appointments import Appointments
from pytest_turris.core.resources.associations import Association, Associations
from pytest_turris.core.resources.collection import ChangeListener, Collection, RecordError
from pytest_turris.core.resources.contacts import Contacts
from pytest_turris.core.resources.coverages import Coverages
from pytest_turris.core.resources.documents import FileDocuments
from pytest_turris.core.resources.licenses import Licenses
from pytest_turris.core.resources.npns import Npns
from pytest_turris.core.resources.policies import Policies
from pytest_turris.core.resources.products import Products
from pytest_turris.core.resources.regulatory_actions import RegulatoryActions
from pytest_turris.core.resources.templates import ContractContainerTemplates
from pytest_turris.core.resources.uploads import Uploads

Owner = AgentEntry | Association
"""Who has a NIPR data subscription."""


T = TypeVar("T")


class when_needed(Generic[T]):  # noqa: N801 - a decorator, as functools.cached_property
    """A part that is made when somebody first looks; two threads that do get the same one.

    Most tests need two or three of fourteen, and every test makes a sandbox.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __get__(self, network: "EntityRecords", owner: type) -> T:
        name = self._make.__name__
        kept: T = vars(network).setdefault(name, self._make(network))
        return kept


class EntityRecords:
    """What an upstream entity has; a collection is made when somebody first looks at it."""

    events: EventLog

    def __init__(
        self, clock: Clock, randomness: Randomness, options: Options, ledger: ChangeListener
    ) -> None:
        self.id: str = randomness.object_id()
        self.clock = clock
        self.randomness = randomness
        self.options = options
        self._parts = clock, randomness, ledger

    @when_needed
    def products(self) -> Products:
        """The products, with what they require."""
        return Products(*self._parts)

    @when_needed
    def licenses(self) -> Licenses:
        """The licenses that NIPR knows, by NPN."""
        return Licenses(*self._parts)

    @when_needed
    def appointments(self) -> Appointments:
        """The appointments that NIPR knows, by NPN."""
        return Appointments(*self._parts)

    @when_needed
    def regulatory_actions(self) -> RegulatoryActions:
        """The regulatory actions that NIPR knows, by NPN."""
        return RegulatoryActions(*self._parts)

    @when_needed
    def npns(self) -> Npns:
        """Whom an NPN lookup finds besides agents and agencies."""
        return Npns(*self._parts)

    @when_needed
    def associations(self) -> Associations:
        """The downstream entity associations."""
        return Associations(*self._parts, self.id)

    @when_needed
    def agents(self) -> Agents:
        """The agents."""
        return Agents(*self._parts, self.id, self.associations)

    @when_needed
    def contacts(self) -> Contacts:
        """The people at the agencies."""
        return Contacts(*self._parts, self.associations)

    @when_needed
    def documents(self) -> FileDocuments:
        """The file documents."""
        return FileDocuments(*self._parts)

    @when_needed
    def templates(self) -> ContractContainerTemplates:
        """The contract container templates."""
        return ContractContainerTemplates(*self._parts, self.documents)

    @when_needed
    def coverages(self) -> Coverages:
        """The agencies' E&O and Cyber policies."""
        return Coverages(*self._parts, self.associations)

    @when_needed
    def policies(self) -> Policies:
        """The ingested policies."""
        return Policies(*self._parts)

    @when_needed
    def uploads(self) -> Uploads:
        """The uploaded policy files."""
        return Uploads(*self._parts, self.options.upload_duration)

    def collections(self) -> dict[str, Collection[Any]]:
        """All collections by their names, in the order of their making."""
        return {name: getattr(self, name) for name in _COLLECTIONS}

    def owner(self, subscription_id: str) -> Owner | None:
        """Whose NIPR data subscription that is."""
        return self.agents.one_where(subscription=subscription_id) or self.associations.one_where(
            subscription=subscription_id
        )

    def owners(self, npn: str) -> list[Owner]:
        """The agents and associations of an NPN."""
        return [*self.agents.where(npn=npn), *self.associations.where(npn=npn)]

    def enqueue_sync(self, owner: Owner) -> None:
        """Queue a fetch from NIPR; a queued one stays as it is.

        Raises:
            RecordError: There is no NPN, so nothing to fetch.
        """
        subscription = owner.nipr_data_subscription
        if subscription is None:
            raise RecordError(f"{owner.key} has no NPN, so no NIPR data subscription")
        if subscription.sync_due is not None:
            return
        job_id = self.randomness.object_id()
        self._change_subscription(
            owner,
            entity_info={"status": "queued", "job_id": job_id},
            sync_due=self.clock.now() + self.options.sync_duration,
        )

    def finish_sync(self, subscription_id: str, at: dt.datetime) -> None:
        """A fetch from NIPR is done."""
        owner = self.owner(subscription_id)
        subscription = owner.nipr_data_subscription if owner else None
        if owner is None or subscription is None or subscription.sync_due != at:
            return
        self._change_subscription(
            owner,
            entity_info=dict(subscription.entity_info) | {"status": "success"},
            last_synchronization_date=at,
            sync_due=None,
        )
        self.report_sync(owner, at)

    def report_sync(self, owner: Owner, at: dt.datetime) -> None:
        """Write down that the NIPR data of an agent or agency is up to date."""
        if (subscription := owner.nipr_data_subscription) is not None:
            self.events.append(
                "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED",
                at,
                {
                    "entityType": subscription.entity_model,
                    "npn": subscription.npn,
                    "synchronizationStatus": "success",
                    "niprDataSubscriptionId": subscription.id,
                },
            )

    def execute_agreement(self, association_id: str) -> None:
        """Both parties have signed an association's producer agreement: once per association.

        Raises:
            KeyError: There is no such association.
            RecordError: Its agreement was executed before.
        """
        association = self.associations.get(association_id)
        if association.agreement_executed_at is not None:
            raise RecordError(f"the agreement of association {association_id} is executed already")
        now = self.clock.now()
        signed = self.documents.add(
            category="Producer Agreement", downstream_entity_association_id=association_id
        )
        self.associations.update(association, agreement_executed_at=now)
        template = self.templates.find(association.contract_container_template_id or "")
        facts: dict[str, Any] = {
            "downstreamEntityAssociationId": association.id,
            "downstreamEntityId": association.downstream_entity.id,
            "producerCode": association.producer_code,
            "branchName": association.branch_name or "Main Branch",
            "contractContainerInstanceId": self.randomness.object_id(),
        }
        if template is not None:
            facts |= {
                "contractContainerTemplateId": template.id,
                "contractContainerTemplateName": template.name,
            }
        facts["signedFileDocumentId"] = signed.id
        self.events.append("PRODUCER_AGREEMENT_EXECUTED", now, facts)

    def _change_subscription(self, owner: Owner, **members: Any) -> None:  # noqa: ANN401 - NiprDataSubscription's fields
        subscription = {
            "nipr_data_subscription": dict(owner.nipr_data_subscription or ()) | members
        }
        if isinstance(owner, Association):
            self.associations.update(owner, **subscription)
        else:
            self.agents.update(owner, **subscription)

    def _dissolve(self, association: Association) -> None:
        """An association is gone: its agents stay, its documents, people and coverage go."""
        for entry in self.agents.where(association=association.id):
            self.agents.leave(entry, association.id)
        self.contacts.leave(association)
        for document in self.documents.where(association=association.id):
            self.documents.remove(document)
        for coverage in self.coverages.where(association=association.id):
            self.coverages.remove(coverage)


_COLLECTIONS = tuple(
    name for name, member in vars(EntityRecords).items() if isinstance(member, when_needed)
)
