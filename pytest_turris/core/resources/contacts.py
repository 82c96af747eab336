"""Contacts: the people at the agencies, as far as this upstream entity may see them.

Members, roles and the rule are documented (contacts/list-contacts): an agency has agency-wide
default contacts, and market-specific ones that only the carrier of that market sees.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pytest_turris.core.resources.associations import Association, Associations
from pytest_turris.core.resources.collection import (
    Collection,
    CollectionHolder,
    Indexes,
    suggest_keywords,
)
from pytest_turris.core.resources.record import Record, RecordError, WireModel
from pytest_turris.core.wire.model import Email, ObjectId

BusinessRole = Literal[
    "Compliance Officer",
    "Principal Owner",
    "Account Manager",
    "Finance Manager",
    "Support Staff",
    "Contract Signatory",
    "Accounts Payable",
]
Visibility = Literal["market", "agency", "another carrier"]
"""Visible to this carrier only, to every carrier of the agency, or to another carrier only."""


class ContactAssociation(WireModel):
    """The roles of a contact at one agency; an agency-wide default has no association id."""

    downstream_entity_id: ObjectId
    business_roles: list[BusinessRole]
    is_primary: bool
    downstream_entity_association_id: ObjectId | None = None


class Contact(Record):
    """One person; ``hidden`` has the associations that belong to another carrier's market."""

    internal_fields: ClassVar[frozenset[str]] = frozenset({"hidden"})

    contact_id: ObjectId
    first_name: str
    last_name: str
    email: Email
    is_deliverable: bool = True
    associations: list[ContactAssociation]
    hidden: list[ContactAssociation]

    @property
    def key(self) -> str:
        """The ``contactId``."""
        return self.contact_id

    @property
    def id(self) -> str:
        """The ``contactId``."""
        return self.contact_id

    def roles_at(self, association: Association) -> set[BusinessRole]:
        """The roles of the contact at an agency."""
        return {
            role
            for relation in self.associations
            if relation.downstream_entity_id == association.downstream_entity.id
            for role in relation.business_roles
        }


class Contacts(Collection[Contact]):
    """The contacts at this upstream entity's agencies, those it cannot see included."""

    kind = Contact
    indexes: ClassVar[Indexes] = {
        "email": lambda contact: [contact.email.lower()],
        "visible": lambda contact: ["yes" if contact.associations else None],
        "entity": lambda contact: [
            relation.downstream_entity_id
            for relation in contact.associations
            if relation.downstream_entity_association_id is None
        ],
        "association": lambda contact: [
            relation.downstream_entity_association_id for relation in contact.associations
        ],
        "role": lambda contact: [
            role for relation in contact.associations for role in relation.business_roles
        ],
    }

    def __init__(self, holder: CollectionHolder) -> None:
        super().__init__(holder)
        self._associations = holder.collection(Associations)

    @suggest_keywords
    def add(
        self,
        *,
        downstream_entity_association_id: str,
        first_name: str = "Dana",
        last_name: str = "Lee",
        email: str = "dana.lee@acme-insurance.example",
        is_deliverable: bool = True,
        business_roles: Iterable[BusinessRole] = ("Account Manager",),
        is_primary: bool = False,
        visibility: Visibility = "market",
    ) -> Contact:
        """Add a contact at an agency; an e-mail address that exists gives the same contact.

        The API lists contacts whose visibility is ``market`` or ``agency``, and does not list
        those of ``another carrier``.

        Raises:
            RecordError: A value does not fit, or there is no such association.
        """
        association = self._associations.find(downstream_entity_association_id)
        if association is None:
            raise RecordError(
                f"no association with id {downstream_entity_association_id!r}; add it first"
            )
        if visibility not in ("market", "agency", "another carrier"):
            raise RecordError(
                f"visibility={visibility!r}; there are 'market', 'agency' and 'another carrier'"
            )
        relation = _relation(association, business_roles, is_primary, visibility)
        name = "hidden" if visibility == "another carrier" else "associations"
        known = self.one_where(email=email.lower())
        if known is not None:
            return self.update(known, **{name: _joined(getattr(known, name), relation)})
        return self.make(
            contact_id=self._randomness.object_id(),
            first_name=first_name,
            last_name=last_name,
            email=email,
            is_deliverable=is_deliverable,
            **{"associations": [], "hidden": []} | {name: [relation]},
        )

    def follow(self, old: Association | None, new: Association) -> None:
        """Keep the primary contact of an association that was made or changed as a contact."""
        person = new.contact
        if old is None:
            self.add(
                downstream_entity_association_id=new.id,
                first_name=person.first_name,
                last_name=person.last_name,
                email=person.email,
                business_roles=(),
                is_primary=True,
            )
        elif old.contact != person and (known := self.one_where(email=old.email.lower())):
            self.update(known, **dict(person))

    def at(self, association: Association) -> list[Contact]:
        """The contacts at one agency that this upstream entity sees, agency-wide ones included."""
        found = {
            contact.key: contact
            for contact in (
                *self.where(association=association.id),
                *self.where(entity=association.downstream_entity.id),
            )
        }
        return sorted(found.values(), key=lambda contact: self._order[contact.key])

    def leave(self, association: Association) -> None:
        """Remove an agency from its contacts, and those contacts who have no other agency."""
        for contact in self.at(association):
            left = [
                dict(relation)
                for relation in contact.associations
                if relation.downstream_entity_id != association.downstream_entity.id
            ]
            if left or contact.hidden:
                self.update(contact, associations=left)
            else:
                self.remove(contact)


def _relation(
    association: Association,
    roles: Iterable[BusinessRole],
    is_primary: bool,  # noqa: FBT001 - a member of the relation, as the others are
    visibility: Visibility,
) -> dict[str, Any]:
    return {
        "downstream_entity_id": association.downstream_entity.id,
        "business_roles": list(roles),
        "is_primary": is_primary,
        "downstream_entity_association_id": association.id if visibility == "market" else None,
    }


def _joined(known: list[ContactAssociation], fresh: dict[str, Any]) -> list[dict[str, Any]]:
    """The associations with one more; roles at the same agency and market are merged."""
    found = []
    for relation in map(dict, known):
        same = all(
            relation[name] == fresh[name]
            for name in ("downstream_entity_id", "downstream_entity_association_id")
        )
        if same:
            roles = dict.fromkeys([*relation["business_roles"], *fresh["business_roles"]])
            primary = relation["is_primary"] or fresh["is_primary"]
            fresh = relation | {"business_roles": list(roles), "is_primary": primary}
        else:
            found.append(relation)
    return [*found, fresh]
