"""Contacts: the people at the agencies, as far as this upstream entity may see them.

Members, roles and the rule are documented (contacts/list-contacts): an agency has agency-wide
default contacts, and market-specific ones that only the carrier of that market sees.
"""

import itertools
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pytest_turris.core.resources.associations import Association, Associations
from pytest_turris.core.resources.collection import (
    Collection,
)
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
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

    never_null: ClassVar[frozenset[str]] = frozenset({"downstream_entity_association_id"})

    downstream_entity_id: ObjectId
    business_roles: list[BusinessRole]
    is_primary: bool
    downstream_entity_association_id: ObjectId | None = None


class Contact(Record):
    """One person, with one entry for each agency (documented).

    An entry covers the agency-wide and the market-specific relationship; with the latter it has an
    association id (assumed). ``agency_wide`` has the agencies of the former, ``hidden`` the entries
    that belong to another carrier's market.
    """

    internal_fields: ClassVar[frozenset[str]] = frozenset({"agency_wide", "hidden"})

    contact_id: ObjectId
    first_name: str
    last_name: str
    email: Email
    is_deliverable: bool = True
    associations: list[ContactAssociation]
    agency_wide: list[ObjectId]
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
        "entity": lambda contact: contact.agency_wide,
        "association": lambda contact: [
            relation.downstream_entity_association_id for relation in contact.associations
        ],
        "role": lambda contact: [
            role for relation in contact.associations for role in relation.business_roles
        ],
    }

    @property
    def _associations(self) -> Associations:
        return self._holder.collection(Associations)

    @suggest_keywords
    def add(
        self,
        *,
        downstream_entity_association_id: str,
        first_name: str = "Dana",
        last_name: str = "Lee",
        email: str | None = None,
        is_deliverable: bool = True,
        business_roles: Iterable[BusinessRole] = ("Account Manager",),
        is_primary: bool = False,
        visibility: Visibility = "market",
    ) -> Contact:
        """Add a contact at an agency; with a known e-mail address, it is the same contact.

        Without ``email`` it is a new person. An agency has one primary contact (help centre): that
        of its association, so ``is_primary`` is for one that has none.

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
        if is_primary and self._primary_of(association) is not None:
            raise RecordError(
                f"association {association.id} has a primary contact, {association.email}; change "
                "it with associations.update(..., first_name=..., last_name=..., email=...)"
            )
        return self._relate(
            association,
            {
                "first_name": first_name,
                "last_name": last_name,
                "email": email or self._unused_email(),
                "is_deliverable": is_deliverable,
            },
            {"business_roles": list(business_roles), "is_primary": is_primary},
            visibility,
        )

    def follow(self, old: Association | None, new: Association) -> None:
        """Keep the primary contact of an association that was made or changed as a contact.

        One e-mail address is one person. After a change of address the agency has another contact;
        the person with the old address stays a contact of other agencies.
        """
        if old is not None and old.contact == new.contact:
            return
        known = self.one_where(email=old.email.lower()) if old is not None else None
        person = dict(new.contact)
        is_renamed = known is not None and (
            known.email.lower() == new.email.lower()
            or (self.one_where(email=new.email.lower()) is None and _is_only_at(known, new))
        )
        if known is not None and is_renamed:
            self.update(known, **person)
            return
        if known is not None:
            self._part(known, new)
        relation = {"business_roles": [], "is_primary": True}
        self._relate(new, person | {"is_deliverable": True}, relation, "market")

    def _relate(
        self,
        association: Association,
        person: dict[str, Any],
        relation: dict[str, Any],
        visibility: Visibility,
    ) -> Contact:
        """Give the person with an address a relationship to an agency."""
        entity_id = association.downstream_entity.id
        relation = relation | {
            "downstream_entity_id": entity_id,
            "downstream_entity_association_id": None if visibility == "agency" else association.id,
        }
        name = "hidden" if visibility == "another carrier" else "associations"
        known = self.one_where(email=person["email"].lower())
        agency_wide = [] if known is None else known.agency_wide
        if visibility == "agency":
            agency_wide = list(dict.fromkeys([*agency_wide, entity_id]))
        if known is not None:
            joined = _joined(getattr(known, name), relation)
            return self.update(known, agency_wide=agency_wide, **{name: joined})
        members: dict[str, Any] = {"associations": [], "hidden": []} | {name: [relation]}
        return self.make(
            contact_id=self._randomness.object_id(), agency_wide=agency_wide, **person, **members
        )

    def _part(self, contact: Contact, association: Association) -> None:
        """End a contact's relationships to an agency; a contact without any is removed."""
        entity_id = association.downstream_entity.id
        left = [one for one in contact.associations if one.downstream_entity_id != entity_id]
        if left or contact.hidden:
            wide = [one for one in contact.agency_wide if one != entity_id]
            self.update(contact, associations=list(map(dict, left)), agency_wide=wide)
        else:
            self.remove(contact)

    def _primary_of(self, association: Association) -> Contact | None:
        """The contact that is the primary one of an agency."""
        entity_id = association.downstream_entity.id
        return next(
            (
                contact
                for contact in self.at(association)
                for one in contact.associations
                if one.is_primary and one.downstream_entity_id == entity_id
            ),
            None,
        )

    def _unused_email(self) -> str:
        return next(
            address
            for number in itertools.count(1)
            if self.one_where(email=(address := f"contact.{number}@acme-insurance.example")) is None
        )

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
        """Remove an agency from its contacts, and the contacts without another agency."""
        for contact in self.at(association):
            self._part(contact, association)


def _is_only_at(contact: Contact, association: Association) -> bool:
    relations = [*contact.associations, *contact.hidden]
    entity_id = association.downstream_entity.id
    return all(one.downstream_entity_id == entity_id for one in relations)


def _joined(known: list[ContactAssociation], fresh: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries with one more; relationships to the same agency are one entry."""
    found = []
    for relation in map(dict, known):
        if relation["downstream_entity_id"] == fresh["downstream_entity_id"]:
            roles = dict.fromkeys([*relation["business_roles"], *fresh["business_roles"]])
            fresh = relation | {
                "business_roles": list(roles),
                "is_primary": relation["is_primary"] or fresh["is_primary"],
                "downstream_entity_association_id": (
                    relation["downstream_entity_association_id"]
                    or fresh["downstream_entity_association_id"]
                ),
            }
        else:
            found.append(relation)
    return [*found, fresh]
