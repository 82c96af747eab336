"""Descriptions and examples of parameters and members, as the reference prints them."""

from typing import Any, NamedTuple


class Text(NamedTuple):
    """What the reference says about a parameter or a member."""

    description: str
    example: str = ""


_AGENT_ID = Text("Agent ID", "507f1f77bcf86cd799439011")
_ASSOCIATION_ID = Text("Downstream entity association ID", "507f1f77bcf86cd799439011")
_STATE = Text("State code (two-letter abbreviation)", "CA")
_WITH_STATE = "Downstream entity license number. Must be provided together with stateCode. "
_WITH_LICENSE = "State code. Must be provided together with licenseNumber. "

HEADERS = {
    "idempotency-key": Text(
        "UUID to ensure idempotent request processing", "550e8400-e29b-41d4-a716-446655440000"
    ),
    "x-idempotency-key": Text(
        "Alternative UUID header for idempotent request processing",
        "550e8400-e29b-41d4-a716-446655440000",
    ),
}
"""The headers of idempotency keys: text without a format, as in the reference."""

PATHS = {
    "agentId": _AGENT_ID,
    "downstreamEntityAssociationId": _ASSOCIATION_ID,
    "niprDataSubscriptionId": Text("NIPR data subscription ID", "507f1f77bcf86cd799439011"),
}
"""Parameters of paths, where their texts are the same on every page."""

MEMBERS = {
    ("GetTokenDto", "clientId"): Text("Your API client ID", "m2m-client-abc123"),
    ("GetTokenDto", "clientSecret"): Text("Your API client secret", "your-client-secret"),
    ("CreateAgentDto", "npn"): Text("National Producer Number (NPN) of the agent", "12345678"),
    ("CreateAgentDto", "email"): Text("Email address of the agent", "agent@example.com"),
    ("CreateAgentDto", "downstreamEntityAssociationId"): Text(
        "MongoDB ID of the downstream entity association", "507f1f77bcf86cd799439012"
    ),
    ("CreateAgentDto", "middleName"): Text(
        "Middle name of the agent (optional). Auto-populated from NIPR if absent.", "Quentin"
    ),
    ("ListAgentsQuery", "downstreamEntityAssociationId"): Text(
        "Filter by downstream entity association ID"
    ),
    ("ListAgentsQuery", "npn"): Text(
        "Filter by National Producer Number (NPN). Mutually exclusive with licenseNumber/stateCode."
    ),
    ("GetAgentQuery", "producerCode"): Text("Filter by producer code", "PROD-001"),
    ("GetAgentQuery", "downstreamEntityAssociationId"): Text(
        "Filter by downstream entity association ID", "507f1f77bcf86cd799439011"
    ),
    ("ListAssociationsQuery", "downstreamEntityNpn"): Text(
        "Downstream entity National Producer Number (NPN). Mutually exclusive with "
        "licenseNumber/stateCode, emailDomain, and email.",
        "12345678",
    ),
    ("ListAssociationsQuery", "licenseNumber"): Text(
        f"{_WITH_STATE}Mutually exclusive with downstreamEntityNpn, emailDomain, and email.",
        "ABC123456",
    ),
    ("ListAssociationsQuery", "stateCode"): Text(
        f"{_WITH_LICENSE}Mutually exclusive with downstreamEntityNpn, emailDomain, and email.", "CA"
    ),
    ("ListAssociationsQuery", "emailDomain"): Text(
        "Email domain to filter downstream entity associations by contact email. Mutually "
        "exclusive with downstreamEntityNpn, licenseNumber/stateCode, and email.",
        "example.com",
    ),
    ("SignInUrlQuery", "email"): Text(
        "Email address of the user to generate sign-in URL for", "user@example.com"
    ),
    ("LicenseComplianceQuery", "stateCode"): _STATE,
    ("LicenseComplianceQuery", "productId"): Text("Product ID", "6098a7f8c9e77c001f3c5a1b"),
    ("StateAndStatusQuery", "stateCode"): _STATE,
}
"""Members of bodies and parameters of queries, by their model and their name on the wire."""

STATUS_TEXTS = {
    "get_oauth_token": "JWT access token response",
    "get_agent": "Agent details",
    "create_agent": "Agent successfully added",
    "get_association": "Downstream entity association details",
    "dangerously_add": "Downstream entity added (deprecated)",
    "get_sign_in_url": "Sign-in URL for downstream entity",
    "get_subscription_status": "NIPR data subscription status",
    "sync_agent": "Agent sync job enqueued successfully",
    "sync_association": "Downstream entity sync job enqueued",
    "get_agent_compliance": "Agent license compliance statuses",
    "get_association_compliance": "Downstream entity license compliance statuses",
    "list_licenses": "List of downstream entity licenses",
    "get_policy_compliance": "E&O and Cyber policy compliance statuses",
    "list_documents": "List of file documents",
    "upload_document": "Document uploaded successfully",
    "get_product": "Product details",
    "lookup_npns": "Array of NPN lookup results",
}
"""What the reference calls the success of an operation, if it could be read."""


def described_text(text: Text | None) -> dict[str, Any]:
    """Return the members of a parameter for a text; none without a text.

    Args:
        text: What the reference says.
    """
    if text is None:
        return {}
    return {"description": text.description} | ({"example": text.example} if text.example else {})
