"""Onboarding: invite an agency or add it; the deprecated variants skip the checks of state."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import Link, operation
from pytest_turris.core.api.operations.associations import named_association
from pytest_turris.core.resources.associations import FEIN, Association, Category
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.model import Email, ObjectId, RequestModel

NO_TEMPLATE = (
    "No active contract template found for that contractContainerTemplateId."  # documented
)
INVITE_URL = "https://onboarding.turris-sandbox.invalid/invite/"
"""A recognisable fake: ``.invalid`` never resolves (RFC 6761)."""

_Text = Annotated[str, StringConstraints(min_length=1)]


class OnboardingSettings(RequestModel):
    """The only documented member; others are ignored."""

    is_pre_contract_review_step_used: bool | None = None


class InviteDownstreamEntityDto(RequestModel):
    """The body of ``invite`` (documented)."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel,
        json_schema_extra={
            "not": {
                "required": ["contractContainerTemplateId", "onboardingSettings"],
                "properties": {
                    "contractContainerTemplateId": {"type": "string"},
                    "onboardingSettings": {
                        "type": "object",
                        "required": ["isPreContractReviewStepUsed"],
                        "properties": {"isPreContractReviewStepUsed": {"const": True}},
                    },
                },
            }
        },
    )

    use_invite_url: bool
    is_npn_required: bool
    downstream_entity_name: _Text
    first_name: _Text
    last_name: _Text
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

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[str]:
        """The template is named here or chosen in the review, not both (documented)."""
        settings = given.get("onboardingSettings")
        reviewed = isinstance(settings, dict) and settings.get("isPreContractReviewStepUsed")
        if given.get("contractContainerTemplateId") is not None and reviewed is True:
            yield (
                "contractContainerTemplateId is mutually exclusive with "
                "onboardingSettings.isPreContractReviewStepUsed"
            )


class InviteUrl(WireModel):
    """The URL at which the invited agency starts its onboarding (documented)."""

    url: str


class AddDownstreamEntityDto(RequestModel):
    """The body of ``add`` and ``dangerously-add`` (documented for the latter)."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_camel,
        json_schema_extra={
            "allOf": [
                {
                    "if": {
                        "required": ["isNpnRequired"],
                        "properties": {"isNpnRequired": {"const": True}},
                    },
                    "then": {
                        "required": ["downstreamEntityNpn"],
                        "properties": {"downstreamEntityNpn": {"type": "string"}},
                    },
                },
                {
                    "if": {
                        "required": ["parentProducerCode"],
                        "properties": {"parentProducerCode": {"type": "string"}},
                    },
                    "then": {
                        "required": ["branchName"],
                        "properties": {"branchName": {"type": "string"}},
                    },
                },
                {
                    "anyOf": [
                        {
                            "required": ["downstreamEntityNpn"],
                            "properties": {"downstreamEntityNpn": {"type": "string"}},
                        },
                        {
                            "required": ["downstreamEntityName"],
                            "properties": {"downstreamEntityName": {"type": "string"}},
                        },
                    ]
                },
            ]
        },
    )

    first_name: _Text
    last_name: _Text
    email: Email
    is_npn_required: bool
    category: Category
    downstream_entity_npn: _Text | None = None
    branch_name: _Text | None = None
    downstream_entity_name: _Text | None = None
    producer_code: str | None = None
    external_id: str | None = None
    parent_producer_code: str | None = None
    parent_downstream_entity_association_id: ObjectId | None = None
    ein: str | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[str]:
        """The three documented conditions."""
        npn = given.get("downstreamEntityNpn")
        if given.get("isNpnRequired") is True and npn is None:
            yield "downstreamEntityNpn is required when isNpnRequired is true"
        if given.get("parentProducerCode") is not None and given.get("branchName") is None:
            yield "branchName is required when parentProducerCode is provided"
        if npn is None and given.get("downstreamEntityName") is None:
            yield "downstreamEntityName is required when downstreamEntityNpn is not provided"


@operation(
    "POST",
    "/v1/downstream-entity-associations/invite",
    summary="Send an invitation to a new downstream entity",
    tag="downstream-entity-associations",
    page="downstream-entity-associations/invite",
    status=201,
    operation_id="AssociatedDownstreamEntitiesController_inviteDownstreamEntity_v1",
    operation_id_documented=False,
    body=InviteDownstreamEntityDto,
    documented_errors=(400,),
    idempotent=True,
    status_provenance="assumed",
    status_option="write_success_status",
)
def invite(call: Call) -> InviteUrl:
    """Invite an agency: it is listed at once (assumed), and the answer is its invite URL."""
    body = call.body(InviteDownstreamEntityDto)
    template_id = _template_id(call, body)
    _refuse_known_code(call, body.producer_code)
    _refuse_unknown_parent(call, body.parent_producer_code)
    return _invite(call, body, template_id)


@operation(
    "POST",
    "/v1/downstream-entity-associations/dangerously-invite",
    summary="Send an invitation without checks",
    tag="downstream-entity-associations",
    page="downstream-entity-associations/dangerously-invite",
    status=201,
    operation_id="AssociatedDownstreamEntitiesController_dangerouslyInviteDownstreamEntity_v1",
    body=InviteDownstreamEntityDto,
    idempotent=True,
    deprecated=True,
)
def dangerously_invite(call: Call) -> InviteUrl:
    """Invite without a check of template and producer codes (documented: bypasses checks)."""
    body = call.body(InviteDownstreamEntityDto)
    return _invite(call, body, body.contract_container_template_id)


@operation(
    "POST",
    "/v1/downstream-entity-associations/add",
    summary="Add a downstream entity",
    tag="downstream-entity-associations",
    page="downstream-entity-associations/add",
    status=201,
    operation_id="AssociatedDownstreamEntitiesController_addDownstreamEntity_v1",
    operation_id_documented=False,
    body=AddDownstreamEntityDto,
    errors=(404,),
    idempotent=True,
    provenance="derived",
    status_provenance="assumed",
    status_option="write_success_status",
    links=(Link("get_association", "downstreamEntityAssociationId", "_id"),),
)
def add_association(call: Call) -> Association:
    """Add an agency that needs no invitation."""
    body = call.body(AddDownstreamEntityDto)
    _refuse_known_code(call, body.producer_code)
    _refuse_unknown_parent(call, body.parent_producer_code)
    if body.ein is not None and not re.fullmatch(FEIN, body.ein):
        raise InvalidInput("ein must be a FEIN, such as 12-3456789")
    if body.parent_downstream_entity_association_id is not None:
        named_association(call, body.parent_downstream_entity_association_id, "parent ")
    return _add(call, body)


@operation(
    "POST",
    "/v1/downstream-entity-associations/dangerously-add",
    summary="Add a downstream entity without checks",
    tag="downstream-entity-associations",
    page="downstream-entity-associations/dangerously-add",
    status=201,
    operation_id="AssociatedDownstreamEntitiesController_dangerouslyAddDownstreamEntity_v1",
    body=AddDownstreamEntityDto,
    idempotent=True,
    deprecated=True,
    links=(Link("list_licenses", "downstreamEntityAssociationId", "_id"),),
)
def dangerously_add(call: Call) -> Association:
    """Add without a check of producer code, parent and FEIN (documented: bypasses checks)."""
    return _add(call, call.body(AddDownstreamEntityDto))


def _template_id(call: Call, body: InviteDownstreamEntityDto) -> str | None:
    """Find the active template in the invitation, and check the values for its custom fields."""
    templates = call.records.templates
    if body.contract_container_template_id is not None:
        template = templates.find(body.contract_container_template_id)
    elif body.producer_agreement_id is not None:
        # The legacy id names the template's PDF (documented).
        template = templates.one_where(producer_agreement=body.producer_agreement_id)
    else:
        return None
    if template is None or template.status != "active":
        raise InvalidInput(NO_TEMPLATE)
    if problems := list(
        template.broken_rules(body.custom_field_values, call.options.missing_member)
    ):
        raise InvalidInput(*problems)
    return template.id


def _refuse_known_code(call: Call, producer_code: str | None) -> None:
    if producer_code and call.records.associations.with_producer_code(producer_code):
        raise InvalidInput("producerCode is already in use")


def _refuse_unknown_parent(call: Call, code: str | None) -> None:
    if code is not None and call.records.associations.with_producer_code(code) is None:
        raise InvalidInput("parentProducerCode does not belong to a downstream entity association")


def _invite(call: Call, body: InviteDownstreamEntityDto, template_id: str | None) -> InviteUrl:
    association = call.records.associations.add(
        downstream_entity_name=body.downstream_entity_name,
        category=body.category,
        is_npn_required=body.is_npn_required,
        first_name=body.first_name,
        last_name=body.last_name,
        email=body.email,
        producer_code=body.producer_code,
        external_id=body.external_id,
        parent_producer_code=body.parent_producer_code,
        contract_container_template_id=template_id,
        invited=True,
    )
    return InviteUrl(url=INVITE_URL + association.id)


def _add(call: Call, body: AddDownstreamEntityDto) -> Association:
    given = body.model_dump(exclude_none=True)
    given.setdefault("downstream_entity_name", "")  # the first fetch brings the name
    association = call.records.associations.add(**given, synchronized=False)
    call.entity.settle()
    return association
