"""Downstream entity associations: the agencies that an upstream entity works with.

Members and their order are documented (DownstreamEntityAssociationResponseDto).
"""

from typing import ClassVar, Literal

from pydantic import Field

from pytest_turris.core.clock import Clock
from pytest_turris.core.model import Email, ObjectId, TurrisModel
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.records import Collection, Record
from pytest_turris.core.resources.subscriptions import EntityInfo, NiprDataSubscription

Category = Literal["agency", "agency network", "wholesale brokerage", "third party administrator"]


class DownstreamEntity(TurrisModel):
    """The agency or brokerage behind an association."""

    id: ObjectId = Field(alias="_id")
    is_npn_required: bool = True
    legal_name: str
    category: str = "agency"
    npn: str | None = None
    ein: str | None = None


class PrimaryContact(TurrisModel):
    """Whom the invitation goes to; the list's e-mail filters look here."""

    first_name: str
    last_name: str
    email: Email


class Association(Record):
    """One downstream entity, as one upstream entity knows it."""

    off_wire: ClassVar[frozenset[str]] = frozenset({"contact"})

    id: ObjectId = Field(alias="_id")
    downstream_entity: DownstreamEntity
    nipr_data_subscription: NiprDataSubscription | None = None
    producer_code: str | None = None
    external_id: str | None = None
    contact: PrimaryContact

    @property
    def key(self) -> str:
        """The ``downstreamEntityAssociationId``."""
        return self.id

    @property
    def npn(self) -> str | None:
        """The agency's National Producer Number."""
        return self.downstream_entity.npn

    @property
    def email(self) -> str:
        """The primary contact's address."""
        return self.contact.email


class Associations(Collection[Association]):
    """The associations of the upstream entity."""

    kind = Association

    def __init__(self, clock: Clock, randomness: Randomness, upstream_entity_id: str) -> None:
        super().__init__(clock, randomness)
        self.upstream_entity_id = upstream_entity_id

    def add(
        self,
        *,
        downstream_entity_name: str = "Acme Insurance Agency",
        downstream_entity_npn: str | None = None,
        category: Category = "agency",
        is_npn_required: bool = True,
        ein: str | None = None,
        first_name: str = "Dana",
        last_name: str = "Lee",
        email: str = "dana.lee@acme-insurance.example",
        producer_code: str | None = None,
        external_id: str | None = None,
        invited: bool = False,
    ) -> Association:
        """An association that has been onboarded; ``invited``: one that has yet to answer.

        An NPN is made up for an onboarded one that needs it, and its NIPR data counts as
        synchronised now.

        Raises:
            RecordError: A value does not fit.
        """
        npn = downstream_entity_npn
        if npn is None and is_npn_required and not invited:
            npn = self._randomness.number("npn", 8)
        return self.make(
            id=self._randomness.object_id(),
            downstream_entity=DownstreamEntity(
                _id=self._randomness.object_id(),
                is_npn_required=is_npn_required,
                legal_name=downstream_entity_name,
                category=category,
                npn=npn,
                ein=ein,
            ),
            nipr_data_subscription=self._subscription(npn) if npn else None,
            producer_code=producer_code,
            external_id=external_id,
            contact={"first_name": first_name, "last_name": last_name, "email": email},
        )

    def with_producer_code(self, producer_code: str) -> Association | None:
        """The association that a producer code names: they are unique per upstream entity."""
        return next((a for a in self if a.producer_code == producer_code), None)

    def _subscription(self, npn: str) -> NiprDataSubscription:
        return NiprDataSubscription(
            data_owner_id=self.upstream_entity_id,
            entity_model="DownstreamEntity",
            entity_info=EntityInfo(status="success", job_id=self._randomness.object_id()),
            npn=npn,
            last_synchronization_date=self._clock.now(),
        )
