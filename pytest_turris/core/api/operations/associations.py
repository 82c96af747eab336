"""Downstream entity associations: list with its filters, get, sign-in URL."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_turris.core.api.call import Call
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.collection import WireModel
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import Email, RequestModel, StateCode, exclusive, together

SIGN_IN_URL = "https://dashboard.turris-sandbox.invalid/sign-in?magic="
"""Recognisably a fake: ``.invalid`` never resolves (RFC 6761)."""


class ListAssociationsQuery(RequestModel):
    """Four filters that exclude one another (documented)."""

    downstream_entity_npn: str | None = None
    license_number: str | None = None
    state_code: StateCode | None = None
    email_domain: str | None = None
    email: str | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[str]:
        """The documented exclusions, and that a license needs its state."""
        yield from exclusive(
            given, "downstreamEntityNpn", "licenseNumber/stateCode", "emailDomain", "email"
        )
        yield from together(given, "licenseNumber", "stateCode")


class SignInUrlQuery(RequestModel):
    """Who wants to sign in (documented)."""

    email: Email


class SignInUrl(WireModel):
    """A magic link."""

    sign_in_url: str


def association_of(call: Call) -> Association:
    """The association that the path names. Raises NotFound."""
    found = call.records.associations.find(call.parameters["downstreamEntityAssociationId"])
    if found is None:
        raise NotFound(
            "Downstream entity association not found", reason="no association with this id"
        )
    return found


def list_associations(call: Call) -> list[Association]:
    """The associations that match the filter, if one is given."""
    query = call.query(ListAssociationsQuery)
    npns: str | set[str] | None = query.downstream_entity_npn
    if query.license_number is not None and query.state_code is not None:
        npns = call.records.licenses.npns(query.license_number, query.state_code)
    return call.records.associations.where(
        npn=npns,
        email_domain=None if query.email_domain is None else query.email_domain.lower(),
        email=None if query.email is None else query.email.lower(),
    )


def get_association(call: Call) -> Association:
    """One association; 404 if there is none."""
    return association_of(call)


def get_sign_in_url(call: Call) -> SignInUrl:
    """A magic link for one of the agency's people; 404 for anybody else (assumed)."""
    query = call.query(SignInUrlQuery)
    association = association_of(call)
    people = {association.email.lower()}
    people |= {contact.email.lower() for contact in call.records.contacts.at(association)}
    if query.email.lower() not in people:
        raise NotFound("User not found", reason="nobody at this agency has this e-mail address")
    return SignInUrl(sign_in_url=SIGN_IN_URL + call.records.randomness.secret("magic"))
