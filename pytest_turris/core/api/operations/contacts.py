"""Contacts: list with its filters, get."""

from pytest_turris.core.api.call import Call
from pytest_turris.core.resources.contacts import BusinessRole, Contact
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import ObjectId, RequestModel


class ListContactsQuery(RequestModel):
    """The filters can be combined (documented)."""

    downstream_entity_association_id: ObjectId | None = None
    business_role: BusinessRole | None = None


def list_contacts(call: Call) -> list[Contact]:
    """The contacts that this upstream entity sees, each once with all its agencies."""
    query = call.query(ListContactsQuery)
    contacts, role = call.records.contacts, query.business_role
    if query.downstream_entity_association_id is None:
        return contacts.where(visible="yes", role=role)
    association = call.records.associations.find(query.downstream_entity_association_id)
    if association is None:
        return []
    return [
        contact
        for contact in contacts.at(association)
        if role is None or role in contact.roles_at(association)
    ]


def get_contact(call: Call) -> Contact:
    """One contact; 404 if it is not visible to the upstream entity (documented)."""
    contact = call.records.contacts.find(call.parameters["contactId"])
    if contact is None or not contact.associations:
        raise NotFound("Contact not found", reason="no contact with this id is visible")
    return contact
