"""Downstream entity associations: the agencies that an upstream entity works with.

Members and their order are documented (DownstreamEntityAssociationResponseDto).
"""

import itertools
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from pytest_turris.core.resources.collection import (
    Collection,
)
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.npns import Npns
from pytest_turris.core.resources.record import Record, RecordError, WireModel
from pytest_turris.core.resources.subscriptions import NiprDataSubscription, subscribed
from pytest_turris.core.wire.model import Email, ObjectId, Timestamp

Category = Literal["agency", "agency network", "wholesale brokerage", "third party administrator"]


FEIN = r"\d{2}-?\d{7}"
"""With or without the hyphen (documented: licenses/surplus-lines)."""
_EMAIL = "dana.lee{}@acme-insurance.example"


def _check_category(category: object) -> None:
    if category not in get_args(Category):
        names = ", ".join(map(repr, get_args(Category)))
        raise RecordError(f"category={category!r} is not one of {names}")


class DownstreamEntity(WireModel):
    """The agency or brokerage behind an association."""

    id: ObjectId = Field(alias="_id")
    is_npn_required: bool = True
    legal_name: str
    category: str = "agency"
    npn: str | None = None
    ein: str | None = None


class PrimaryContact(WireModel):
    """The person who is invited; the e-mail filters of the list match this address."""

    first_name: str
    last_name: str
    email: Email


class Association(Record):
    """One downstream entity, as one upstream entity knows it."""

    internal_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "contact",
            "branch_name",
            "parent_producer_code",
            "parent_downstream_entity_association_id",
            "contract_container_template_id",
            "agreement_executed_at",
            "is_invited",
            "is_deleted",
        }
    )

    id: ObjectId = Field(alias="_id")
    downstream_entity: DownstreamEntity
    nipr_data_subscription: NiprDataSubscription | None = None
    producer_code: str | None = None
    external_id: str | None = None
    contact: PrimaryContact
    branch_name: str | None = None
    parent_producer_code: str | None = None
    parent_downstream_entity_association_id: ObjectId | None = None
    contract_container_template_id: ObjectId | None = None
    agreement_executed_at: Timestamp | None = None
    is_invited: bool = False
    is_deleted: bool = False

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
    indexes: ClassVar[Indexes] = {
        "npn": lambda a: [a.npn],
        "email": lambda a: [a.email.lower()],
        "producer_code": lambda a: [a.producer_code],
        "fein": lambda a: [digits(a.downstream_entity.ein)],
        "downstream_entity": lambda a: [a.downstream_entity.id],
        "legal_name": lambda a: [a.downstream_entity.legal_name.lower() or None],
        "subscription": lambda a: [a.nipr_data_subscription and a.nipr_data_subscription.id],
    }
    flat_names: ClassVar[dict[str, tuple[str, str]]] = {
        "downstream_entity_name": ("downstream_entity", "legal_name"),
        "downstream_entity_npn": ("downstream_entity", "npn"),
        "category": ("downstream_entity", "category"),
        "is_npn_required": ("downstream_entity", "is_npn_required"),
        "ein": ("downstream_entity", "ein"),
        "first_name": ("contact", "first_name"),
        "last_name": ("contact", "last_name"),
        "email": ("contact", "email"),
    }

    @property
    def _npns(self) -> Npns:
        return self._holder.collection(Npns)

    @suggest_keywords
    def add(
        self,
        *,
        downstream_entity_name: str = "Peña Insurance Agency",
        downstream_entity_npn: str | None = None,
        category: Category = "agency",
        is_npn_required: bool = True,
        ein: str | None = None,
        first_name: str = "Dana",
        last_name: str = "Lee",
        email: str | None = None,
        producer_code: str | None = None,
        external_id: str | None = None,
        branch_name: str | None = None,
        parent_producer_code: str | None = None,
        parent_downstream_entity_association_id: str | None = None,
        contract_container_template_id: str | None = None,
        invited: bool = False,
        synchronized: bool = True,
    ) -> Association:
        """Add an association that has been onboarded, whose NIPR data is up to date.

        The legal name and the FEIN are those that ``npns`` has for the NPN, if it has any. Unless
        ``synchronized``, the first fetch from NIPR is queued now, and brings them. A required NPN
        is generated, unless the agency is ``invited``, and has not answered its invitation yet.
        So is an ``email``: no two associations share a contact.

        Raises:
            RecordError: A value does not fit.
        """
        _check_category(category)
        needs_npn = downstream_entity_npn is None and is_npn_required and not invited
        npn = self._randomness.number("npn", 8) if needs_npn else downstream_entity_npn
        email = email or self._unused_email()
        names = {"legal_name": downstream_entity_name, "ein": ein}
        names |= self._npns.firm(npn) if synchronized else {}
        facts = {"category": category, "is_npn_required": is_npn_required, "npn": npn}
        return self.make(
            id=self._randomness.object_id(),
            downstream_entity={"id": self._randomness.object_id()} | facts | names,
            nipr_data_subscription=self._subscription(npn, synchronized=synchronized),
            producer_code=producer_code,
            external_id=external_id,
            contact={"first_name": first_name, "last_name": last_name, "email": email},
            branch_name=branch_name,
            parent_producer_code=parent_producer_code,
            parent_downstream_entity_association_id=parent_downstream_entity_association_id,
            contract_container_template_id=contract_container_template_id,
            is_invited=invited,
        )

    def update(self, record: Association | str, **members: Any) -> Association:  # noqa: ANN401 - as in make
        """Change members; a new NPN gets a NIPR data subscription, whose first fetch is queued."""
        if "category" in members:
            _check_category(members["category"])
        npn = members.get("downstream_entity_npn")
        if isinstance(npn, str) and npn and npn != self._current(record).npn:
            members["nipr_data_subscription"] = self._subscription(npn, synchronized=False)
        return super().update(record, **members)

    def _unused_email(self) -> str:
        """An address that no association's contact has: ``dana.lee@...``, ``dana.lee.2@...``."""
        return next(
            address
            for number in itertools.count(1)
            if not self.where(email=(address := _EMAIL.format("" if number == 1 else f".{number}")))
        )

    def with_producer_code(self, producer_code: str) -> Association | None:
        """The association with a producer code, unique per upstream entity; or None."""
        return self.one_where(producer_code=producer_code)

    def shown(self, key: str) -> Association | None:
        """The association with an id, if the API shows it; or None."""
        found = self.find(key)
        return found if found is not None and self.is_shown(found) else None

    def is_shown(self, association: Association) -> bool:
        """Whether the API shows it: options ``deleted_associations``, ``invited_agencies``."""
        options = self._holder.options
        if association.is_deleted and options.deleted_associations == "hidden":
            return False
        return not association.is_invited or options.invited_agencies == "listed"

    def _subscription(self, npn: str | None, *, synchronized: bool) -> dict[str, Any] | None:
        if not npn:
            return None
        return subscribed(self._holder, "DownstreamEntity", npn, synchronized=synchronized)


def digits(fein: str | None) -> str | None:
    """A FEIN without its hyphen; both forms are accepted (documented: licenses/surplus-lines)."""
    return fein.replace("-", "") if fein else None
