"""How near the sandbox is to Turris: every behaviour, how it is known, and what changes it.

*documented*: a page says so. *derived*: it follows from a documented value. *assumed*: nobody
outside Turris has seen it. *disputed*: the pages disagree.
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
    _row("transport", "Paths match exactly: case, trailing slash and all", "assumed", "-"),
    # Credentials and tokens
    _row("token", "`POST /v1/auth/jwt` with `clientId`, `clientSecret` answers 201 with "
         "`accessToken`, `expiresIn`, `tokenType`", "documented", "authentication/get-oauth-token"),
    _row("token", "camelCase members only; the page's own sample posts `client_id`", "disputed",
         "authentication/get-oauth-token"),
    _row("token", "A token holds for 60 minutes; there is no refresh token", "documented",
         "authentication", "token_ttl"),
    _row("token", "A client replaces it when more than 55 minutes have passed", "documented",
         "guides/security", "refresh_buffer"),
    _row("token", "RS256 with `typ: JWT`", "derived", "the sample token's header"),
    _row("token", "`kid`; claims `iss`, `sub`, `aud`, `iat`, `exp`, `jti`, `env`; a JWKS at "
         "`/.well-known/jwks.json`", "assumed", "-", "token_issuer", "token_audience"),
    _row("token", "No leeway: refused from the moment of its expiry on", "assumed", "-"),
    _row("token", '401 messages other than "Authentication token not provided"', "assumed",
         "guides/error-handling"),
    _row("token", "`test-oauth` answers a bare `message`, whose text is cut off in the guide",
         "derived", "authentication"),
    _row("token", "A token in the URL is never accepted", "derived", "guides/security"),
    _row("credentials", "Credentials of one environment are refused by the other", "derived",
         "guides/security", "environment"),
    _row("credentials", "Tokens outlive the rotation of their secret, not its revocation",
         "assumed", "-"),
    _row("credentials", "Permissions are `read` and `write`", "assumed",
         "guides/error-handling names permissions only"),
    _row("restricted token", "Header, order of the checks and the text of the 403",
         "documented", "authentication, guides/error-handling"),
    _row("restricted token", "Allowlist entries are IPv4, IPv6 or CIDR; an empty list allows all",
         "assumed", "-", "client_ip"),
    _row("restricted token", "The same access as OAuth, or a subset", "disputed",
         "authentication; help centre: API (Settings)", "restricted_token_access"),
    _row("restricted token", "With both headers, OAuth first, then the restricted token",
         "documented", "authentication"),
    _row("restricted token", "If both fail, 401 in the bearer's words", "assumed", "-"),
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
    _row("errors", 'The words for rules other than "must be a string"', "assumed",
         "class-validator's own"),
    _row("errors", "404 `not_found` for unknown paths and methods alike", "assumed", "-",
         "fail_on_refusal"),
    _row("errors", "`errorType` of 413 and 422 is `invalid_input`", "assumed", "-"),
    _row("errors", "Unknown members and parameters are ignored, and noted in the journal",
         "assumed", "-"),
    # Limits and idempotency
    _row("rate limits", "10 token requests and 60 writes a minute per credential; reads free",
         "documented", "guides/rate-limiting", "token_requests_per_minute", "writes_per_minute"),
    _row("rate limits", "All writes share one window", "assumed", "-"),
    _row("rate limits", "A fixed minute from the first request", "assumed", "-", "rate_window"),
    _row("rate limits", "`X-RateLimit-*` on every limited call", "assumed",
         "guides/rate-limiting: when you approach or exceed", "rate_headers"),
    _row("rate limits", "The body of the 429; no `Retry-After`", "documented",
         "guides/rate-limiting", "retry_after"),
    _row("idempotency", "Both headers, the UUID rule with its message, one hour", "documented",
         "guides/idempotency", "idempotency_ttl"),
    _row("idempotency", "On `invite`; the guide names other paths than the reference",
         "disputed", "guides/idempotency, downstream-entity-associations/invite"),
    _row("idempotency", "Per credential, operation and key; the same key with another body is a "
         "422; only successes are stored; the plain header wins", "assumed", "-",
         "idempotency_conflict"),
    # Records
    _row("agents", "Members, their order, filters and exclusions", "documented",
         "agents/list-agents, agents/get-agent, agents/create-agent"),
    _row("agents", "`downstreamEntityAssociationId` is the last member", "assumed",
         "contacts/list-contacts names it"),
    _row("agents", "Creating answers 201; a known NPN gives the same agent", "assumed", "-"),
    _row("agents", "An unknown association is a 404", "assumed", "-"),
    _row("associations", "Members, their order, filters and exclusions", "documented",
         "downstream-entity-associations/list-associations"),
    _row("associations", "The e-mail filters look at the primary contact", "derived",
         "downstream-entity-associations/list-associations"),
    _row("associations", "An invited agency is listed at once, without an NPN", "assumed", "-"),
    _row("associations", "`invite` answers 201, always with `url`", "assumed",
         "downstream-entity-associations/invite"),
    _row("associations", "A producer code is unique per upstream entity; a second use is a 400",
         "derived", "guides/entity-definitions"),
    _row("associations", "A template id together with the pre-contract review is a 400",
         "documented", "downstream-entity-associations/invite"),
    _row("associations", "There are no contract templates: every template id gets the documented "
         "400", "derived", "contract-container-templates/list"),
    _row("NIPR data", "An added NPN counts as synchronised; words such as `success` and `active`",
         "assumed", "-"),
    _row("NIPR data", "`stateCode` is one of the fifty states, DC and the territories", "assumed",
         "licenses: an enum that begins with AL"),
    # Webhooks
    _row("webhooks", "Four events, their members and values", "documented", "guides/webhooks"),
    _row("webhooks", "HMAC-SHA256 in `X-Turris-Signature`", "documented", "guides/webhooks",
         "signature_header"),
    _row("webhooks", "Lower-case hex of the raw body, no prefix, no timestamp", "assumed", "-",
         "signature_encoding", "signature_prefix", "signature_timestamped", "signature_signs"),
    _row("webhooks", "The key is the client secret, or a webhook secret of its own", "disputed",
         "guides/webhooks; help centre: settings-webhook", "webhook_secret"),
    _row("webhooks", "A response within 30 seconds, 2xx for success", "documented",
         "guides/webhooks"),
)  # fmt: skip
"""Every behaviour that a consumer can see, in the order of the docs page."""


def as_markdown() -> str:
    """The table as it stands in ``docs/fidelity.md``."""
    lines = [
        "| Topic | What the sandbox does | How it is known | Source | Option |",
        "|---|---|---|---|---|",
    ]
    for row in FIDELITY:
        options = ", ".join(f"`{name}`" for name in row.options) or "-"
        cells = (row.topic, row.what, row.provenance, row.source, options)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
