"""Contacts: list with its filters, get."""

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.resources.contacts import BusinessRole, Contact
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import ObjectId, RequestModel


class ListContactsQuery(RequestModel):
    """The filters can be combined (documented)."""

    downstream_entity_association_id: ObjectId | None = None
    business_role: BusinessRole | None = None


@operation(
    "GET",
    "/v1/contacts",
    summary="List contacts",
    tag="contacts",
    page="contacts/list-contacts",
    operation_id="ContactsController_getContacts_v1",
    operation_id_documented=False,
    query=ListContactsQuery,
)
def list_contacts(call: Call) -> list[Contact]:
    """List the contacts that the upstream entity sees, each once with all its agencies."""
    query = call.query(ListContactsQuery)
    contacts, role = call.records.contacts, query.business_role
    if query.downstream_entity_association_id is None:
        found = [_shown(call, contact) for contact in contacts.where(visible="yes", role=role)]
        return [contact for contact in found if contact.associations]
    association = call.records.associations.shown(query.downstream_entity_association_id)
    if association is None:
        return []
    return [
        _shown(call, contact)
        for contact in contacts.at(association)
        if role is None or role in contact.roles_at(association)
    ]


@operation(
    "GET",
    "/v1/contacts/{contactId}",
    summary="Get a contact",
    tag="contacts",
    page="contacts/get-contact",
    operation_id="ContactsController_getContact_v1",
    operation_id_documented=False,
    documented_errors=(404,),
)
def get_contact(call: Call) -> Contact:
    """Get a contact; 404 if it is not visible to the upstream entity (documented)."""
    contact = call.records.contacts.find(call.parameters["contactId"])
    shown = None if contact is None else _shown(call, contact)
    if shown is None or not shown.associations:
        raise NotFound("Contact not found", reason="no contact with this id is visible")
    return shown


def _shown(call: Call, contact: Contact) -> Contact:
    """The contact without its entries at agencies that are not shown, such as deleted ones."""
    associations = call.records.associations
    kept = [
        entry
        for entry in contact.associations
        if any(
            map(
                associations.is_shown,
                associations.where(downstream_entity=entry.downstream_entity_id),
            )
        )
    ]
    return contact.model_copy(update={"associations": kept})
