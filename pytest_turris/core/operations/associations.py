"""Downstream entity associations: list with its filters, get, invite."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from pytest_turris.core.call import Call
from pytest_turris.core.errors import InvalidInput, NotFound
from pytest_turris.core.model import Email, ObjectId, StateCode
from pytest_turris.core.records import Record
from pytest_turris.core.resources.associations import Association, Category

NO_TEMPLATE = (
    "No active contract template found for that contractContainerTemplateId."  # documented
)
INVITE_URL = "https://onboarding.turris-sandbox.invalid/invite/"
"""Recognisably a fake: ``.invalid`` never resolves (RFC 6761)."""

Text = Annotated[str, StringConstraints(min_length=1)]


class ListAssociationsQuery(BaseModel):
    """Four filters that exclude one another (documented)."""

    model_config = ConfigDict(alias_generator=to_camel)

    downstream_entity_npn: str | None = None
    license_number: str | None = None
    state_code: StateCode | None = None
    email_domain: str | None = None
    email: str | None = None

    @model_validator(mode="after")
    def _exclusions(self) -> Self:
        if (self.license_number is None) != (self.state_code is None):
            raise PydanticCustomError(
                "together", "licenseNumber and stateCode must be provided together"
            )
        given = {
            "downstreamEntityNpn": self.downstream_entity_npn,
            "licenseNumber/stateCode": self.license_number,
            "emailDomain": self.email_domain,
            "email": self.email,
        }
        names = [name for name, value in given.items() if value is not None]
        if len(names) > 1:
            raise PydanticCustomError(
                "exclusive",
                "{first} is mutually exclusive with {others}",
                {"first": names[0], "others": ", ".join(names[1:])},
            )
        return self


class OnboardingSettings(BaseModel):
    """The one documented member; others are ignored."""

    model_config = ConfigDict(alias_generator=to_camel)

    is_pre_contract_review_step_used: bool | None = None


class InviteDownstreamEntityDto(BaseModel):
    """The body of ``invite`` (documented)."""

    model_config = ConfigDict(alias_generator=to_camel)

    use_invite_url: bool
    is_npn_required: bool
    downstream_entity_name: Text
    first_name: Text
    last_name: Text
    email: Email
    category: Category
    producer_code: str | None = None
    external_id: str | None = None
    contract_container_template_id: ObjectId | None = None
    producer_agreement_id: ObjectId | None = None
    onboarding_settings: OnboardingSettings | None = None
    parent_producer_code: str | None = None
    custom_fields: dict[str, Any] | None = None
    custom_field_values: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _exclusions(self) -> Self:
        settings = self.onboarding_settings
        reviewed = settings is not None and settings.is_pre_contract_review_step_used
        if self.contract_container_template_id is not None and reviewed:
            raise PydanticCustomError(
                "exclusive",
                "contractContainerTemplateId is mutually exclusive with "
                "onboardingSettings.isPreContractReviewStepUsed",
            )
        return self


def list_associations(call: Call) -> list[Record]:
    """The associations that match the filter, if one is given."""
    query = call.query(ListAssociationsQuery)
    found = list(call.entity.associations)
    if query.downstream_entity_npn is not None:
        found = [a for a in found if a.npn == query.downstream_entity_npn]
    elif query.license_number is not None and query.state_code is not None:
        npns = call.entity.licenses.npns(query.license_number, query.state_code)
        found = [a for a in found if a.npn in npns]
    elif query.email_domain is not None:
        domain = query.email_domain.lower()
        found = [a for a in found if a.email.lower().rpartition("@")[2] == domain]
    elif query.email is not None:
        found = [a for a in found if a.email.lower() == query.email.lower()]
    return list(found)


def get_association(call: Call) -> Association:
    """One association; 404 if there is none."""
    found = call.entity.associations.find(call.parameters["downstreamEntityAssociationId"])
    if found is None:
        raise NotFound(
            "Downstream entity association not found", reason="no association with this id"
        )
    return found


def invite(call: Call) -> dict[str, Any]:
    """Invite an agency: it is listed at once (assumed), and its invite URL is the answer."""
    body = call.body(InviteDownstreamEntityDto)
    if body.contract_container_template_id is not None:
        raise InvalidInput(NO_TEMPLATE)
    associations = call.entity.associations
    if body.producer_code and associations.with_producer_code(body.producer_code):
        raise InvalidInput("producerCode is already in use")
    association = associations.add(
        downstream_entity_name=body.downstream_entity_name,
        category=body.category,
        is_npn_required=body.is_npn_required,
        first_name=body.first_name,
        last_name=body.last_name,
        email=body.email,
        producer_code=body.producer_code,
        external_id=body.external_id,
        invited=True,
    )
    return {"url": INVITE_URL + association.id}
