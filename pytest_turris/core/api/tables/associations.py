"""Downstream entity associations and what is known of an agency."""

from pytest_turris.core.api.call import Operation
from pytest_turris.core.api.operations import associations, compliance, nipr, onboarding
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.compliance import (
    LicenseComplianceResponse,
    PolicyComplianceResponse,
)
from pytest_turris.core.resources.licenses import License

_DEA = "/v1/downstream-entity-associations"
_ASSOCIATION = _DEA + "/{downstreamEntityAssociationId}"
_ASSOCIATIONS = "AssociatedDownstreamEntitiesController"

ROWS = (
    Operation(
        name="list_associations", method="GET", path=_DEA,
        operation_id=f"{_ASSOCIATIONS}_getAllDownstreamEntities_v1",
        handler=associations.list_associations, summary="List associations",
        tag="downstream-entity-associations",
        page="downstream-entity-associations/list-associations",
        query=associations.ListAssociationsQuery, answer=Association, many=True,
    ),
    Operation(
        name="invite", method="POST", path=_DEA + "/invite", status=201,
        operation_id=f"{_ASSOCIATIONS}_inviteDownstreamEntity_v1",
        operation_id_documented=False, idempotent=True, handler=onboarding.invite,
        summary="Send an invitation to a new downstream entity",
        tag="downstream-entity-associations", page="downstream-entity-associations/invite",
        body=onboarding.InviteDownstreamEntityDto, answer=onboarding.InviteUrl,
        documented_errors=(400,), status_provenance="assumed",
    ),
    Operation(
        name="dangerously_invite", method="POST", path=_DEA + "/dangerously-invite", status=201,
        operation_id=f"{_ASSOCIATIONS}_dangerouslyInviteDownstreamEntity_v1",
        idempotent=True, deprecated=True, handler=onboarding.dangerously_invite,
        summary="Send an invitation without checks", tag="downstream-entity-associations",
        page="downstream-entity-associations/dangerously-invite",
        body=onboarding.InviteDownstreamEntityDto, answer=onboarding.InviteUrl,
    ),
    Operation(
        name="add_association", method="POST", path=_DEA + "/add", status=201,
        operation_id=f"{_ASSOCIATIONS}_addDownstreamEntity_v1", operation_id_documented=False,
        idempotent=True, handler=onboarding.add, summary="Add a downstream entity",
        tag="downstream-entity-associations", page="downstream-entity-associations/add",
        body=onboarding.AddDownstreamEntityDto, answer=Association, errors=(404,),
        provenance="derived", status_provenance="assumed",
    ),
    Operation(
        name="dangerously_add", method="POST", path=_DEA + "/dangerously-add", status=201,
        operation_id=f"{_ASSOCIATIONS}_dangerouslyAddDownstreamEntity_v1",
        idempotent=True, deprecated=True, handler=onboarding.dangerously_add,
        summary="Add a downstream entity without checks", tag="downstream-entity-associations",
        page="downstream-entity-associations/dangerously-add",
        body=onboarding.AddDownstreamEntityDto, answer=Association,
    ),
    Operation(
        name="list_surplus_lines", method="GET", path=_DEA + "/licenses/surplus-lines",
        operation_id="DownstreamEntityLicensesController_getSurplusLinesLicenses_v1",
        operation_id_documented=False, handler=nipr.list_surplus_lines,
        summary="Surplus lines licenses by FEIN and state",
        tag="downstream-entity-associations", page="licenses/surplus-lines",
        query=nipr.SurplusLinesQuery, answer=nipr.SurplusLinesResponse, errors=(404,),
    ),
    Operation(
        name="dangerously_list_surplus_lines", method="GET",
        path=_DEA + "/licenses/dangerously-surplus-lines",
        operation_id=(
            "DownstreamEntityLicensesController_dangerouslyGetSurplusLinesLicenses_v1"
        ),
        deprecated=True, handler=nipr.dangerously_list_surplus_lines,
        summary="Surplus lines licenses by FEIN and state, without checks",
        tag="downstream-entity-associations", page="licenses/dangerously-surplus-lines",
        query=nipr.DangerousSurplusLinesQuery, answer=nipr.SurplusLinesResponse, errors=(404,),
    ),
    Operation(
        name="get_association", method="GET", path=_ASSOCIATION,
        operation_id=f"{_ASSOCIATIONS}_getDownstreamEntity_v1",
        handler=associations.get_association, summary="Get an association",
        tag="downstream-entity-associations",
        page="downstream-entity-associations/get-association", answer=Association,
    ),
    Operation(
        name="get_sign_in_url", method="GET", path=_ASSOCIATION + "/sign-in-url",
        operation_id=f"{_ASSOCIATIONS}_getSignInUrl_v1", operation_id_documented=False,
        handler=associations.get_sign_in_url, summary="Get a magic link to sign in",
        tag="downstream-entity-associations",
        page="downstream-entity-associations/get-sign-in-url",
        query=associations.SignInUrlQuery, answer=associations.SignInUrl,
    ),
    Operation(
        name="sync_association", method="POST", path=_ASSOCIATION + "/sync", status=201,
        operation_id=f"{_ASSOCIATIONS}_enqueueDownstreamEntityInfo_v1",
        operation_id_documented=False, handler=nipr.sync_association,
        summary="Queue a sync of an agency with NIPR", tag="downstream-entity-associations",
        page="compliance-data-subscriptions/sync-downstream-entity", errors=(400,),
        status_provenance="assumed",
    ),
    Operation(
        name="list_licenses", method="GET", path=_ASSOCIATION + "/licenses",
        operation_id="DownstreamEntityLicensesController_getDownstreamEntityLicenses_v1",
        operation_id_documented=False, handler=nipr.list_licenses,
        summary="List an agency's licenses", tag="downstream-entity-associations",
        page="licenses/downstream-entity-licenses", query=nipr.StateAndStatusQuery,
        answer=License, many=True,
    ),
    Operation(
        name="list_association_appointments", method="GET", path=_ASSOCIATION + "/appointments",
        operation_id="DownstreamEntityAppointmentsController_getAppointments_v1",
        operation_id_documented=False, handler=nipr.list_association_appointments,
        summary="List an agency's appointments", tag="downstream-entity-associations",
        page="appointments/downstream-entity-appointments", query=nipr.StateAndStatusQuery,
        answer=nipr.DownstreamEntityAppointment, many=True,
    ),
    Operation(
        name="get_association_compliance", method="GET",
        path=_ASSOCIATION + "/license-compliance-statuses",
        operation_id=(
            "DownstreamEntitiesLicenseComplianceController_getDownstreamEntityCompliance_v1"
        ),
        handler=compliance.get_association_compliance,
        summary="Get an agency's license compliance", tag="downstream-entity-associations",
        page="compliance-status/downstream-entity-compliance",
        query=compliance.LicenseComplianceQuery, answer=LicenseComplianceResponse,
    ),
    Operation(
        name="get_policy_compliance", method="GET",
        path=_ASSOCIATION + "/policy-compliance-statuses",
        operation_id="EoAndCyberComplianceController_getDownstreamEntityPolicyCompliance_v1",
        handler=compliance.get_policy_compliance, summary="Get an agency's E&O and Cyber",
        tag="downstream-entity-associations", page="eo-cyber-compliance/get-policy-compliance",
        answer=PolicyComplianceResponse,
    ),
)  # fmt: skip
