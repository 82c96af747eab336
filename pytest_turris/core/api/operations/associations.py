"""Downstream entity associations: list with its filters, get, sign-in URL."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.entity.records import is_pending
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.errors import InvalidInput, NotFound
from pytest_turris.core.wire.model import Email, RequestModel, StateCode, exclusive, together

ASSOCIATION = "/v1/downstream-entity-associations/{downstreamEntityAssociationId}"
SIGN_IN_URL = "https://dashboard.turris-sandbox.invalid/sign-in?magic="
"""A recognisable fake: ``.invalid`` never resolves (RFC 6761)."""


class ListAssociationsQuery(RequestModel):
    """Four filters; only one can be given at a time (documented)."""

    downstream_entity_npn: str | None = None
    license_number: str | None = None
    state_code: StateCode | None = None
    email_domain: str | None = None
    email: str | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[str]:
        """The documented exclusions, and that a license number needs its state."""
        yield from exclusive(
            given, "downstreamEntityNpn", "licenseNumber/stateCode", "emailDomain", "email"
        )
        yield from together(given, "licenseNumber", "stateCode")


class SignInUrlQuery(RequestModel):
    """The e-mail address of the user who wants to sign in (documented)."""

    email: Email


class SignInUrl(WireModel):
    """A magic link (documented)."""

    sign_in_url: str


def association_of(call: Call) -> Association:
    """Find the association in the path.

    Raises:
        NotFound: No association has this id.
    """
    found = call.records.associations.shown(call.parameters["downstreamEntityAssociationId"])
    if found is None:
        raise NotFound(
            "Downstream entity association not found", reason="no association with this id"
        )
    return found


def named_association(call: Call, association_id: str, whose: str = "") -> Association:
    """Find the association that a body names.

    Raises:
        NotFound: There is none.
        InvalidInput: The same, with the option ``unknown_association``.
    """
    found = call.records.associations.shown(association_id)
    if found is not None:
        return found
    message = f"{whose}downstream entity association not found".capitalize()
    if call.options.unknown_association == "invalid_input":
        raise InvalidInput(message)
    raise NotFound(message)


@operation(
    "GET",
    "/v1/downstream-entity-associations",
    summary="List associations",
    tag="downstream-entity-associations",
    page="downstream-entity-associations/list-associations",
    operation_id="AssociatedDownstreamEntitiesController_getAllDownstreamEntities_v1",
    query=ListAssociationsQuery,
)
def list_associations(call: Call) -> list[Association]:
    """List the associations, or those that match the given filter."""
    query = call.query(ListAssociationsQuery)
    npns: str | set[str] | None = query.downstream_entity_npn
    if query.license_number is not None and query.state_code is not None:
        npns = call.records.licenses.npns(query.license_number, query.state_code)
    associations = call.records.associations
    found = associations.where(npn=npns)
    if query.license_number is not None:
        found = [association for association in found if not is_pending(association)]
    return [
        association
        for association in found
        if associations.is_shown(association) and _has_address(call, association, query)
    ]


@operation(
    "GET",
    ASSOCIATION,
    summary="Get an association",
    tag="downstream-entity-associations",
    page="downstream-entity-associations/get-association",
    operation_id="AssociatedDownstreamEntitiesController_getDownstreamEntity_v1",
)
def get_association(call: Call) -> Association:
    """Get an association; 404 for an unknown id."""
    return association_of(call)


@operation(
    "GET",
    ASSOCIATION + "/sign-in-url",
    summary="Get a magic link to sign in",
    tag="downstream-entity-associations",
    page="downstream-entity-associations/get-sign-in-url",
    operation_id="AssociatedDownstreamEntitiesController_getSignInUrl_v1",
    operation_id_documented=False,
    query=SignInUrlQuery,
)
def get_sign_in_url(call: Call) -> SignInUrl:
    """Get a magic link for a user of the agency; 404 for any other address (assumed)."""
    query = call.query(SignInUrlQuery)
    association = association_of(call)
    if query.email.lower() not in _addresses(call, association):
        raise NotFound("User not found", reason="no user of this agency has this e-mail address")
    return SignInUrl(sign_in_url=SIGN_IN_URL + call.records.randomness.secret("magic"))


def _has_address(call: Call, association: Association, query: ListAssociationsQuery) -> bool:
    """Whether a contact has the address (documented: filter by contact email)."""
    wanted, domain = query.email, query.email_domain
    if wanted is None and domain is None:
        return True
    if call.options.email_filter == "primary_contact":
        addresses = {association.email.lower()}
    else:
        addresses = _addresses(call, association)
    if wanted is not None:
        return wanted.lower() in addresses
    return (domain or "").lower() in {one.rpartition("@")[2] for one in addresses}


def _addresses(call: Call, association: Association) -> set[str]:
    people = call.records.contacts.at(association)
    return {association.email.lower(), *(contact.email.lower() for contact in people)}
