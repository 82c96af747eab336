"""How faithful the sandbox is: every behaviour, how it is known, and the option that changes it.

*documented*: a page says so. *derived*: it follows from a documented value. *assumed*: it has not
been seen outside Turris. *disputed*: the pages disagree.
"""

from dataclasses import dataclass
from typing import Literal

Provenance = Literal["documented", "derived", "assumed", "disputed"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One row of the fidelity table."""

    topic: str
    what: str
    provenance: Provenance
    source: str
    options: tuple[str, ...] = ()


def _row(topic: str, what: str, provenance: Provenance, source: str, *options: str) -> Behaviour:
    return Behaviour(topic, what, provenance, source, options)


FIDELITY = (
    # Hosts and transport
    _row("hosts", "One host for production, one for the sandbox; both under `/v1`", "documented",
         "home, reference pages", "environment"),
    _row("hosts", "Both hosts show the same records of one upstream entity", "assumed", "-"),
    _row("transport", "`http://` to a Turris host is a 403", "assumed",
         "guides/security says: always HTTPS", "allow_plain_http"),
    _row("transport", "A body over 1 MiB is a 413", "assumed", "-", "max_body_bytes"),
    _row("transport", "Paths match exactly, including case and a trailing slash", "assumed", "-"),
    # Credentials and tokens
    _row("token", "`POST /v1/auth/jwt` with `clientId`, `clientSecret` answers 201 with "
         "`accessToken`, `expiresIn`, `tokenType`", "documented", "authentication/get-oauth-token"),
    _row("token", "camelCase members only; the page's own sample posts `client_id`", "disputed",
         "authentication/get-oauth-token"),
    _row("token", "A token is valid for 60 minutes; there is no refresh token", "documented",
         "authentication", "token_ttl"),
    _row("token", "A client should replace a token after more than 55 minutes", "documented",
         "guides/security", "refresh_buffer"),
    _row("token", "RS256 with `typ: JWT`", "derived", "the sample token's header"),
    _row("token", "`kid`; claims `iss`, `sub`, `aud`, `iat`, `exp`, `jti`, `env`; a JWKS at "
         "`/.well-known/jwks.json`", "assumed", "-", "token_issuer", "token_audience"),
    _row("token", "No leeway: a token is refused from its expiry on", "assumed", "-"),
    _row("token", '401 messages other than "Authentication token not provided"', "assumed",
         "guides/error-handling"),
    _row("token", "`test-oauth` answers a bare `message`; the guide cuts off its text",
         "derived", "authentication"),
    _row("token", "A token in the URL is never accepted", "derived", "guides/security"),
    _row("credentials", "Each environment refuses the credentials of the other", "derived",
         "guides/security", "environment"),
    _row("credentials", "Tokens stay valid when their secret is rotated, not when the client is "
         "revoked", "assumed", "-"),
    _row("credentials", "Permissions are `read` and `write`", "assumed",
         "guides/error-handling names permissions only"),
    _row("restricted token", "The header, the order of the checks and the text of the 403",
         "documented", "authentication, guides/error-handling"),
    _row("restricted token", "Allowlist entries are IPv4, IPv6 or CIDR; an empty list allows all",
         "assumed", "-", "client_ip"),
    _row("restricted token", "It gives the same access as OAuth, or part of it", "disputed",
         "authentication; help centre: API (Settings)", "restricted_token_access"),
    _row("restricted token", "If both headers are sent, OAuth is checked first, then the "
         "restricted token", "documented", "authentication"),
    _row("restricted token", "A test operation exists; its path is not shown", "assumed",
         "authentication"),
    _row("restricted token", "If both fail, the 401 is that of the bearer token", "assumed", "-"),
    # Conventions
    _row("envelope", "`{data, requestId, timestamp}`; four envelopes are documented", "disputed",
         "guides/request-response, reference pages", "envelope"),
    _row("envelope", "With `top_level`, lists stay under `data`", "assumed", "-", "envelope"),
    _row("envelope", "Optional members without a value are omitted", "assumed", "-",
         "optional_fields"),
    _row("errors", "`{statusCode, requestId, errorType, errorMessage[], timestamp}`",
         "documented", "guides/error-handling"),
    _row("errors", "`requestId` is `dev-` and a UUID", "derived", "every example"),
    _row("errors", "400 with one class-validator message per failed rule", "documented",
         "guides/error-handling"),
    _row("errors", 'The messages of rules other than "must be a string"', "assumed",
         "class-validator's own"),
    _row("errors", "404 `not_found` for unknown paths and for unknown methods", "assumed", "-",
         "fail_on_refusal", "unknown_method"),
    _row("errors", "`errorType` of 413 and 422 is `invalid_input`, of 405 and 410 `not_found`",
         "assumed", "-"),
    _row("errors", "Unknown members and parameters are ignored, and noted in the journal",
         "assumed", "-", "unknown_fields"),
    # Limits and idempotency
    _row("rate limits", "10 token requests and 60 writes a minute per credential; reads are not "
         "limited", "documented", "guides/rate-limiting", "token_requests_per_minute",
         "writes_per_minute"),
    _row("rate limits", "All writes share one window", "assumed", "-"),
    _row("rate limits", "The window is a fixed minute from the first request", "assumed", "-",
         "rate_window"),
    _row("rate limits", "`X-RateLimit-*` on every limited call", "assumed",
         "guides/rate-limiting: when you approach or exceed", "rate_headers"),
    _row("rate limits", "The body of the 429; no `Retry-After`", "documented",
         "guides/rate-limiting", "retry_after"),
    _row("idempotency", "Both headers, the UUID rule with its message, and the hour", "documented",
         "guides/idempotency", "idempotency_ttl"),
    _row("idempotency", "For `invite`, `add` and their deprecated variants; the guide names other "
         "paths than the reference",
         "disputed", "guides/idempotency, downstream-entity-associations/invite"),
    _row("idempotency", "Per credential, operation and key; the same key with another body is a "
         "422; only successes are stored; the plain header takes precedence", "assumed", "-",
         "idempotency_conflict"),
    # Records
    _row("agents", "Members, their order, filters and exclusions", "documented",
         "agents/list-agents, agents/get-agent, agents/create-agent"),
    _row("agents", "`downstreamEntityAssociationId` is the last member", "assumed",
         "contacts/list-contacts names it"),
    _row("agents", "Creating answers 201; a known NPN returns the same agent", "assumed", "-"),
    _row("agents", "An unknown association is a 404", "assumed", "-"),
    _row("associations", "Members, their order, filters and exclusions", "documented",
         "downstream-entity-associations/list-associations"),
    _row("associations", "The e-mail filters use the primary contact", "derived",
         "downstream-entity-associations/list-associations"),
    _row("associations", "An invited agency is listed at once, without an NPN", "assumed", "-"),
    _row("associations", "`invite` answers 201, always with `url`", "assumed",
         "downstream-entity-associations/invite"),
    _row("associations", "A producer code is unique per upstream entity; a second use is a 400",
         "derived", "guides/entity-definitions"),
    _row("associations", "A template id together with the pre-contract review is a 400",
         "documented", "downstream-entity-associations/invite"),
    _row("associations", "A template id must be that of an active template, or the documented 400 "
         "follows. Its custom fields are validated; all their types but `string` are assumed",
         "documented", "contract-container-templates/list"),
    _row("associations", "`POST .../add`: its path, status and checks; the conditions are those of "
         "`dangerously-add`", "derived", "downstream-entity-associations/dangerously-add"),
    _row("associations", "`dangerously-*` skip the checks of templates, producer codes, parents "
         "and FEINs", "assumed", "each page: bypasses validation checks"),
    _row("associations", "The sign-in URL is for the agency's own contacts; others get a 404",
         "assumed", "downstream-entity-associations/get-sign-in-url"),
    _row("associations", "Lists contain deleted and archived records too, oldest first",
         "assumed", "-"),
    _row("deprecation", "Three headers on deprecated operations, and 410 after the sunset",
         "documented", "guides/versioning", "sunset"),
    _row("deprecation", "Each `dangerously-*` operation sends them, with the guide's example date",
         "assumed", "guides/versioning", "sunset"),
    _row("compliance", "`productName` and `states[].stateCode`", "documented",
         "compliance-status/agent-compliance"),
    _row("compliance", "A state contains its statuses, with the words of the webhooks", "derived",
         "guides/webhooks", "compliance_states"),
    _row("compliance", "What a product requires, and the status that follows; `states` is empty "
         "where the product is not sold", "assumed", "-"),
    _row("compliance", "`Expired License`, `Missing LOA`, `NPN Missing`", "derived",
         "help centre: agency license compliance, policy licensing"),
    _row("compliance", "`Not Required` without a required carrier", "assumed", "-"),
    _row("compliance", "An agent is checked in the states of its authority, or else of the "
         "product; a change of any of its three statuses is an event", "assumed", "-"),
    _row("E&O and Cyber", "Members and their order", "documented",
         "eo-cyber-compliance/get-policy-compliance"),
    _row("E&O and Cyber", "`collectionStatus` is upcoming, active or expired by date, and received "
         "after an upload; a kind without a policy is left out", "assumed", "-"),
    _row("licenses", "Members, filters, and both forms of a FEIN", "documented",
         "licenses/downstream-entity-licenses, licenses/surplus-lines"),
    _row("licenses", "An active license after its `expirationDate` is shown as `expired`",
         "assumed", "-"),
    _row("licenses", "Surplus lines licenses are those with such a class name; an unknown FEIN is "
         "a 404", "assumed", "-"),
    _row("appointments", "Members and filters", "documented", "appointments/agent-appointments"),
    _row("appointments", "A current appointment is `active`, or `appointed` as in the filter's "
         "example", "disputed", "appointments/agent-appointments", "appointment_status"),
    _row("regulatory actions", "Members and their order", "documented",
         "regulatory-actions/agent-regulatory-actions"),
    _row("sync", "201 without content; asynchronous, a few minutes", "documented",
         "compliance-data-subscriptions/sync-agent", "sync_duration"),
    _row("sync", "The same for an agency; without an NPN it is a 400", "assumed", "-"),
    _row("sync", "The subscription has the members of the embedded object, and `_id`",
         "assumed", "compliance-data-subscriptions/get-status"),
    _row("templates", "Members; only active ones are listed", "documented",
         "contract-container-templates/list"),
    _row("documents", "Members; `category` is required to list; uploads are PDFs", "documented",
         "file-documents/list-documents, file-documents/upload-document"),
    _row("documents", "There are eleven categories to list, or nine", "disputed",
         "file-documents/list-documents", "document_categories"),
    _row("documents", "Without `isDeleted`, deleted ones are listed too; an uploaded E&O or Cyber "
         "policy counts as received", "assumed", "-"),
    _row("products", "The members on the wire: `_id`, `name`, `createdAt`, `updatedAt`",
         "assumed", "products/get-product"),
    _row("NPN lookup", "1 to 20 NPNs, each once; 429 while one is in progress", "documented",
         "tools/validate-npns", "npn_lookup_duration"),
    _row("NPN lookup", "The names `npns`, `npn`, `entityType`, `name`; a lookup takes no time",
         "assumed", "-", "npn_lookup_duration"),
    _row("contacts", "Members, roles, filters, and visibility", "documented",
         "contacts/list-contacts"),
    _row("contacts", "A contact has one entry per agency; an agency has one primary contact",
         "documented", "contacts/get-contact; help centre: agency contacts"),
    _row("contacts", "An association's primary contact is a contact without roles; one e-mail "
         "address is one contact; an entry for both kinds of relationship has an association id",
         "assumed", "-"),
    _row("policies", "Members, filters, the upload's states, headers, required columns",
         "documented", "policies/list-policies, policies/upload-policy-file"),
    _row("policies", "The optional columns are the policy's members; each row counts as created or "
         "updated", "assumed", "-"),
    _row("policies", "`currentStatus` follows the dates: cancelled from a Cancellation until a "
         "later New or Renewal", "assumed", "-"),
    _row("policies", "A file has at most 20,000 rows, 1,024 columns and 8 MiB of unpacked XML; the "
         "first sheet is read", "assumed", "- (protects the sandbox; no option, since larger files "
         "test nothing of a client)"),
    _row("policies", "An upload is queued for half of its time, then processed", "assumed", "-",
         "upload_duration"),
    _row("policies", "A name that several agencies share needs clarification; a file that cannot "
         "be read to its end is FAILED", "assumed", "-"),
    _row("policies", "An upload's status is enveloped, or bare as in its sample", "disputed",
         "policies/get-upload-status", "upload_status_envelope"),
    _row("policies", "A file over 10 MB is a 413", "assumed",
         "policies/upload-policy-file: at most 10 MB"),
    _row("NIPR data", "Names and legal names come from NIPR by NPN", "documented",
         "agents/create-agent; help centre: bulk-uploading agencies and agents"),
    _row("NIPR data", "An added NPN counts as synchronised; the words, such as `success` and "
         "`active`", "assumed", "-"),
    _row("NIPR data", "`stateCode` is one of the fifty states, DC and the territories", "assumed",
         "licenses: an enum that begins with AL"),
    # Webhooks
    _row("webhooks", "Four events, their members and values", "documented", "guides/webhooks"),
    _row("webhooks", "HMAC-SHA256 in `X-Turris-Signature`", "documented", "guides/webhooks",
         "signature_header"),
    _row("webhooks", "Lower-case hex of the raw body, no prefix, no timestamp", "assumed", "-",
         "signature_encoding", "signature_prefix", "signature_timestamped", "signature_signs",
         "signature_scheme"),
    _row("webhooks", "Neither an id nor a version is signed", "assumed", "-",
         "signature_id_header", "signature_timestamp_header", "signature_version",
         "signature_joint"),
    _row("webhooks", "The header has one signature, not a list", "assumed", "-",
         "signature_list_separator"),
    _row("webhooks", "The key is used as text, not decoded", "assumed", "-",
         "signature_key", "signature_key_prefix"),
    _row("webhooks", "The key is the client secret, or a separate webhook secret", "disputed",
         "guides/webhooks; help centre: settings-webhook", "webhook_secret"),
    _row("webhooks", "A receiver has 30 seconds to respond; 2xx is a success", "documented",
         "guides/webhooks"),
    _row("webhooks", "Status events wait a minute after the last change, 30 minutes at most, and "
         "are consolidated; the others are sent at once", "documented", "guides/webhooks: event "
         "pages", "webhook_debounce"),
    _row("webhooks", "Consolidated means the last status of each state of each product", "assumed",
         "-"),
    _row("webhooks", "Each registered webhook has one type, one URL and one secret; resends are "
         "manual",
         "documented", "help centre: settings-webhook"),
    _row("webhooks", "Deliveries carry `User-Agent: Turris-Webhooks/1.0`", "assumed", "-",
         "webhook_user_agent"),
    _row("webhooks", "No automatic retries", "assumed", "-", "webhook_retries"),
    _row("webhooks", "No webhook is ever disabled, whatever its receiver answers", "assumed", "-",
         "webhook_gone_disables", "webhook_disable_after"),
    _row("webhooks", "A receiver's `Retry-After` is ignored", "assumed", "-",
         "webhook_honours_retry_after"),
    _row("webhooks", "A disabled webhook gets nothing until it is enabled, not even what was "
         "queued", "assumed", "-", "webhook_gone_disables", "webhook_disable_after"),
    _row("webhooks", "A resend sends the same bytes with the same signature", "assumed", "-"),
    _row("webhooks", "A test webhook is the documented example of its type, with some names that "
         "are not ASCII", "assumed",
         "guides/webhooks: test webhook feature"),
    _row("webhooks", "Operations to register, list, get, delete and enable webhooks, to list and "
         "resend deliveries, to test one, under `/v1/webhooks`: paths, names, statuses", "assumed",
         'guides/webhooks: "using our API"; the paths could not be read', "webhooks_path"),
    _row("webhooks", "Only the answer to the registration contains the secret; it signs the "
         "deliveries of that webhook", "assumed", "help centre: settings-webhook",
         "webhook_secret"),
    _row("webhooks", "A URL that is neither HTTPS nor `http://` on this machine is a 400",
         "assumed", "help centre: settings-webhook: HTTPS endpoints"),
    _row("webhooks", "Every attempt has `at`, `status`, `latency` in seconds and `error`; the last "
         "1,000 are kept", "assumed", "help centre: settings-webhook"),
    _row("webhooks", "A resend and a test are queued, and sent by `turris_webhooks.drain()`, or by "
         "`turris-sandbox serve` at once", "assumed", "-"),
    _row("webhooks", "No idempotency keys; registering, deleting, enabling, resending and testing "
         "are writes", "assumed", "-"),
)  # fmt: skip
"""Every behaviour that a client can see, in the order of the docs page."""
