"""The route table: every operation of the sandbox, as a table of contents."""

from typing import Any

from pytest_turris.core import openapi
from pytest_turris.core.call import Call, Operation
from pytest_turris.core.operations import (
    agents,
    associations,
    auth,
    compliance,
    contacts,
    documents,
    nipr,
    onboarding,
    policies,
    tools,
)
from pytest_turris.core.policy_file import MOST_BYTES
from pytest_turris.core.resources.agents import AgentEntry
from pytest_turris.core.resources.appointments import Appointment
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.resources.compliance import (
    LicenseComplianceResponse,
    PolicyComplianceResponse,
)
from pytest_turris.core.resources.contacts import Contact
from pytest_turris.core.resources.documents import FileDocument
from pytest_turris.core.resources.licenses import License
from pytest_turris.core.resources.npns import NpnLookupResult
from pytest_turris.core.resources.policies import Policy
from pytest_turris.core.resources.products import Product
from pytest_turris.core.resources.regulatory_actions import RegulatoryAction
from pytest_turris.core.resources.templates import ContractContainerTemplate
from pytest_turris.core.resources.uploads import Upload
from pytest_turris.core.router import Routes

_AGENT = "/v1/agents/{agentId}"
_DEA = "/v1/downstream-entity-associations"
_ASSOCIATION = _DEA + "/{downstreamEntityAssociationId}"
_ASSOCIATIONS = "AssociatedDownstreamEntitiesController"

OPERATIONS = (
    # Authentication
    Operation(
        name="get_oauth_token", method="POST", path="/v1/auth/jwt", status=201, access="public",
        operation_id="AuthController_getToken_v1", handler=auth.get_oauth_token,
        summary="Exchange client credentials for a JWT access token", tag="auth",
        page="authentication/get-oauth-token", body=auth.GetTokenDto, answer=auth.TokenResponse,
        errors=(401,),
    ),
    Operation(
        name="test_oauth", method="GET", path="/v1/auth/test-oauth", access="oauth",
        operation_id="AuthController_testOauth_v1", operation_id_documented=False,
        enveloped=False, handler=auth.oauth_test, summary="Test an access token", tag="auth",
        page="authentication (guide)", answer=auth.MessageResponse, status_provenance="assumed",
    ),
    Operation(
        name="test_restricted_access_token", method="GET",
        path="/v1/auth/test-restricted-access-token", access="restricted",
        operation_id="AuthController_testRestrictedAccessToken_v1",
        operation_id_documented=False, enveloped=False, handler=auth.restricted_token_test,
        summary="Test a restricted access token", tag="auth", page="authentication (guide)",
        answer=auth.MessageResponse, provenance="assumed", status_provenance="assumed",
    ),
    Operation(
        name="jwks", method="GET", path="/.well-known/jwks.json", access="public",
        operation_id="AuthController_getJwks_v1", operation_id_documented=False,
        documented=False, enveloped=False, handler=auth.jwks,
        summary="The public signing keys of access tokens", tag="auth", provenance="assumed",
        status_provenance="assumed",
    ),
    # Agents
    Operation(
        name="list_agents", method="GET", path="/v1/agents",
        operation_id="AgentFeatureController_getAgents_v1", operation_id_documented=False,
        handler=agents.list_agents, summary="List agents", tag="agents",
        page="agents/list-agents", query=agents.ListAgentsQuery, answer=AgentEntry, many=True,
    ),
    Operation(
        name="create_agent", method="POST", path="/v1/agents", status=201,
        operation_id="AgentFeatureController_createAgent_v1", operation_id_documented=False,
        handler=agents.create_agent, summary="Create an agent", tag="agents",
        page="agents/create-agent", body=agents.CreateAgentDto, answer=AgentEntry,
        errors=(404,), status_provenance="assumed",
    ),
    Operation(
        name="get_agent", method="GET", path=_AGENT,
        operation_id="AgentFeatureController_getAgent_v1", handler=agents.get_agent,
        summary="Get an agent", tag="agents", page="agents/get-agent",
        query=agents.GetAgentQuery, answer=AgentEntry,
    ),
    Operation(
        name="sync_agent", method="POST", path=_AGENT + "/sync", status=201,
        operation_id="AgentFeatureController_enqueueAgentEntityInfo_v1",
        handler=nipr.sync_agent, summary="Queue a sync of an agent with NIPR", tag="agents",
        page="compliance-data-subscriptions/sync-agent", documented_errors=(401, 404),
    ),
    Operation(
        name="list_agent_appointments", method="GET", path=_AGENT + "/appointments",
        operation_id="AgentAppointmentComplianceController_getAgentAppointments_v1",
        handler=nipr.list_agent_appointments, summary="List an agent's appointments",
        tag="agents", page="appointments/agent-appointments", query=nipr.StateAndStatusQuery,
        answer=Appointment, many=True,
    ),
    Operation(
        name="get_agent_compliance", method="GET", path=_AGENT + "/license-compliance-statuses",
        operation_id="AgentLicenseComplianceController_getAgentCompliance_v1",
        operation_id_documented=False, handler=compliance.get_agent_compliance,
        summary="Get an agent's license compliance", tag="agents",
        page="compliance-status/agent-compliance", query=compliance.LicenseComplianceQuery,
        answer=LicenseComplianceResponse,
    ),
    Operation(
        name="list_regulatory_actions", method="GET", path=_AGENT + "/regulatory-actions",
        operation_id="AgentRegulatoryActionsController_getAgentRegulatoryActions_v1",
        handler=nipr.list_regulatory_actions, summary="List an agent's regulatory actions",
        tag="agents", page="regulatory-actions/agent-regulatory-actions",
        answer=RegulatoryAction, many=True, documented_errors=(401,),
    ),
    # Downstream entity associations
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
    # Compliance data subscriptions
    Operation(
        name="get_subscription_status", method="GET",
        path="/v1/compliance-data-subscriptions/{niprDataSubscriptionId}",
        operation_id="ComplianceDataSubscriptionsController_getStatus_v1",
        handler=nipr.get_subscription_status, summary="Get a NIPR data subscription's status",
        tag="compliance-data-subscriptions", page="compliance-data-subscriptions/get-status",
        answer=nipr.ComplianceDataSubscriptionResponse,
    ),
    # Contract container templates, file documents, products
    Operation(
        name="list_templates", method="GET", path="/v1/contract-container-templates",
        operation_id="ContractContainerTemplatesController_getTemplates_v1",
        operation_id_documented=False, handler=documents.list_templates,
        summary="List active contract templates", tag="contract-container-templates",
        page="contract-container-templates/list", answer=ContractContainerTemplate, many=True,
    ),
    Operation(
        name="list_documents", method="GET", path="/v1/file-documents",
        operation_id="FileDocumentFeatureController_getFileDocuments_v1",
        handler=documents.list_documents, summary="List documents of a category",
        tag="file-documents", page="file-documents/list-documents",
        query=documents.ListDocumentsQuery, answer=FileDocument, many=True,
    ),
    Operation(
        name="upload_document", method="POST", path="/v1/file-documents", status=201,
        operation_id="FileDocumentFeatureController_uploadNewDocument_v1",
        handler=documents.upload_document, summary="Upload a PDF for an agency",
        tag="file-documents", page="file-documents/upload-document",
        form=documents.UploadDocumentDto, answer=FileDocument, errors=(404,),
        documented_errors=(400,), largest_file=MOST_BYTES,
    ),
    Operation(
        name="get_product", method="GET", path="/v1/products/{productId}",
        operation_id="ProductsController_getProduct_v1", handler=documents.get_product,
        summary="Get a product", tag="products", page="products/get-product", answer=Product,
        documented_errors=(401,),
    ),
    # Tools, contacts
    Operation(
        name="lookup_npns", method="POST", path="/v1/npn-lookup",
        operation_id="NpnLookupController_lookupNpns_v1", handler=tools.lookup_npns,
        summary="Look up NPNs via NIPR", tag="npn-lookup", page="tools/validate-npns",
        body=tools.NpnLookupDto, answer=NpnLookupResult, many=True, documented_errors=(429,),
    ),
    Operation(
        name="list_contacts", method="GET", path="/v1/contacts",
        operation_id="ContactsController_getContacts_v1", operation_id_documented=False,
        handler=contacts.list_contacts, summary="List contacts", tag="contacts",
        page="contacts/list-contacts", query=contacts.ListContactsQuery, answer=Contact,
        many=True,
    ),
    Operation(
        name="get_contact", method="GET", path="/v1/contacts/{contactId}",
        operation_id="ContactsController_getContact_v1", operation_id_documented=False,
        handler=contacts.get_contact, summary="Get a contact", tag="contacts",
        page="contacts/get-contact", answer=Contact, documented_errors=(404,),
    ),
    # Policies
    Operation(
        name="list_policies", method="GET", path="/v1/policies",
        operation_id="PoliciesController_getPolicies_v1", operation_id_documented=False,
        handler=policies.list_policies, summary="List policies", tag="policies",
        page="policies/list-policies", query=policies.ListPoliciesQuery, answer=Policy,
        many=True,
    ),
    Operation(
        name="get_policy", method="GET", path="/v1/policies/{policyId}",
        operation_id="PoliciesController_getPolicy_v1", operation_id_documented=False,
        handler=policies.get_policy, summary="Get a policy", tag="policies",
        page="policies/get-policy", answer=Policy,
    ),
    Operation(
        name="upload_policy_file", method="POST", path="/v1/policies/upload", status=201,
        operation_id="PoliciesController_uploadPolicyFile_v1", operation_id_documented=False,
        handler=policies.upload_policy_file, summary="Upload a file of policies",
        tag="policies", page="policies/upload-policy-file", form=policies.UploadPolicyFileDto,
        answer=policies.QueuedUpload, documented_errors=(400,), status_provenance="assumed",
        largest_file=MOST_BYTES,
    ),
    Operation(
        name="get_upload_status", method="GET", path="/v1/policies/uploads/{uploadId}",
        operation_id="PoliciesController_getUploadStatus_v1", operation_id_documented=False,
        handler=policies.get_upload_status, summary="Get how far an upload is",
        tag="policies", page="policies/get-upload-status", answer=Upload,
        documented_errors=(401, 404),
    ),
)  # fmt: skip


def _description(call: Call) -> dict[str, Any]:
    return openapi.document(OPERATIONS, call.options)


DESCRIPTION = Operation(
    name="openapi", method="GET", path=openapi.PATH, access="public",
    operation_id="Sandbox_getOpenapi", operation_id_documented=False, documented=False,
    enveloped=False, handler=_description, summary="This description", tag="sandbox",
    provenance="assumed", status_provenance="assumed",
)  # fmt: skip
"""The sandbox' own; it is none of Turris' and not in its description."""

ROUTES = Routes((*OPERATIONS, DESCRIPTION))

TOKEN_REQUEST = ("POST", "/v1/auth/jwt")
"""What ``token_requests`` counts."""
