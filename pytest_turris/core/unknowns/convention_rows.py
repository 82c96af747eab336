"""The rows about hosts, credentials, answers and limits: what all operations share."""

from pytest_turris.core.unknowns.rows import Behaviour, row

CONVENTION_ROWS: tuple[Behaviour, ...] = (
    # Hosts and transport
    row("hosts", "One host for production, one for the sandbox; both under `/v1`", "documented",
        "home, reference pages", "environment"),
    row("hosts", "`/v2-beta`, which older copies list, is not there", "disputed",
        "home, guides/versioning", no_option="newer copies list `v1` alone, and no page of it is "
        "to be found"),
    row("hosts", "Both hosts show the same records of one upstream entity", "assumed", "-",
        no_option="two sandboxes are two tenants, with credentials of their own"),
    row("hosts", "API clients can be locked to browser origins (CORS): not modelled", "documented",
        "help centre: API (Settings)"),
    row("transport", "`http://` to a Turris host is a 403", "assumed",
        "guides/security says: always HTTPS", "allow_plain_http"),
    row("transport", "A body over 1 MiB is a 413", "assumed", "-", "max_body_bytes"),
    row("transport", "Paths match exactly, including case and a trailing slash", "assumed", "-",
        no_option="a client that sends the documented paths sees no difference"),
    # Credentials and tokens
    row("token", "`POST /v1/auth/jwt` with `clientId`, `clientSecret` answers 201 with "
        "`accessToken`, `expiresIn`, `tokenType`", "documented", "authentication/get-oauth-token"),
    row("token", "camelCase members only; the page's own sample posts `client_id`", "disputed",
        "authentication/get-oauth-token",
        no_option="the schema and every curl sample use camelCase"),
    row("token", "A token is valid for 60 minutes; there is no refresh token", "documented",
        "authentication", "token_ttl"),
    row("token", "A client should replace a token after more than 55 minutes", "documented",
        "guides/security", "refresh_buffer"),
    row("token", "RS256 with `typ: JWT`", "derived", "the sample token's header"),
    row("token", "`kid`; claims `iss`, `sub`, `aud`, `iat`, `exp`, `jti`, `env`; a JWKS at "
        "`/.well-known/jwks.json`", "assumed", "-", "token_issuer", "token_audience"),
    row("token", "No leeway: a token is refused from its expiry on", "assumed", "-",
        no_option="`token_ttl` makes tokens shorter or longer"),
    row("token", '401 messages other than "Authentication token not provided"', "assumed",
        "guides/error-handling",
        no_option="`errorType` and status are documented; texts are for humans"),
    row("token", "`test-oauth` answers a bare `message`; the guide cuts off its text",
        "derived", "authentication"),
    row("token", "A token in the URL is never accepted", "derived", "guides/security"),
    row("credentials", "Each environment refuses the credentials of the other", "derived",
        "guides/security", "environment"),
    row("credentials", "Tokens stay valid when their secret is rotated, not when the client is "
        "revoked", "assumed", "-",
        no_option="a test revokes or keeps the client, and so has both"),
    row("credentials", "Permissions are `read`, for every GET, and `write`, for every other "
        "method, `POST /v1/npn-lookup` included", "assumed",
        "guides/error-handling names permissions only",
        no_option="a credential has both unless a test takes one away"),
    row("restricted token", "The header, the order of the checks and the text of the 403",
        "documented", "authentication, guides/error-handling"),
    row("restricted token", "Allowlist entries are IPv4, IPv6 or CIDR; an empty list allows all",
        "assumed", "-", "client_ip"),
    row("restricted token", "It gives the same access as OAuth, or part of it", "disputed",
        "authentication; help centre: API (Settings)", "restricted_token_access"),
    row("restricted token", "If both headers are sent, OAuth is checked first, then the "
        "restricted token", "documented", "authentication"),
    row("restricted token", "A test operation exists; its path is not shown", "assumed",
        "authentication", no_option="no client can call a path that is not known"),
    row("restricted token", "A valid bearer token without the permission is a 403: the restricted "
        "token is not tried", "assumed", "authentication: if OAuth fails (cut off)",
        no_option="a client that sends one credential sees no difference"),
    row("restricted token", "If both fail, it is the 401 of the bearer token, not the refusal of "
        "the restricted one, which is a 403 for an address outside its allowlist", "assumed",
        "authentication: the sentence is cut off", "failed_fallback"),
    # Conventions
    row("envelope", "`{data, requestId, timestamp}`; four envelopes are documented", "disputed",
        "guides/request-response, reference pages", "envelope"),
    row("envelope", "With `top_level`, lists stay under `data`", "assumed", "-", "envelope"),
    row("envelope", "Optional members without a value are omitted; with `null`, those still are "
        "that no sample has, or that a page says are absent", "assumed",
        "contacts/list-contacts, guides/webhooks: absent ones", "optional_fields"),
    row("envelope", "A success without data has no body", "assumed",
        "compliance-data-subscriptions/sync-agent: no content declared", "empty_success_body"),
    row("statuses", "201 for create-agent, invite, add and an agency's sync", "assumed",
        "the pages of their siblings", "write_success_status"),
    row("errors", "`{statusCode, requestId, errorType, errorMessage[], timestamp}`",
        "documented", "guides/error-handling"),
    row("errors", "`requestId` is `dev-` and a UUID", "derived", "every example"),
    row("errors", "400 with one message per failed rule", "documented", "guides/error-handling"),
    row("errors", "A failed validation is a 400, as in every example; a table also lists 422 for "
        "it", "disputed", "guides/error-handling",
        no_option="a test scripts a 422 with `turris.faults`"),
    row("errors", "A missing member is `Field 'x' is required`, as in three samples, or the "
        "class-validator message, as in one", "disputed",
        "guides/error-handling, guides/request-response", "missing_member"),
    row("errors", "One message for each member, though class-validator has one for each of its "
        "rules", "derived", "guides/error-handling: the second message is another member's"),
    row("errors", "The messages of rules other than these two", "assumed",
        "class-validator's own", no_option="a text for humans; the status is documented"),
    row("errors", "404 `not_found` for unknown paths and for unknown methods", "assumed", "-",
        "fail_on_refusal", "unknown_method"),
    row("errors", "An unknown path is a 404 with or without a credential", "assumed",
        "NestJS: routes come before guards",
        no_option="a client that calls the documented paths sees no difference"),
    row("errors", "An empty text is a 400 for an NPN and for required names, and taken for other "
        "texts, such as `producerCode`", "assumed", "-",
        no_option="a client that leaves out what it does not know sees no difference"),
    row("transport", "A body with another `Content-Type`, or none, is not read, and its members "
        "are missing", "assumed", "guides/request-response: Content-Type is required",
        no_option="a client that sends the documented header sees no difference"),
    row("transport", "HEAD is answered as GET, without content; OPTIONS is a 404, as of a NestJS "
        "server without CORS", "assumed", "-", "head_and_options"),
    row("transport", "Errors of `turris-sandbox serve` have `X-Content-Type-Options: nosniff`",
        "assumed", "-", no_option="it is for browsers; no API client reads it"),
    row("transport", "Answers have `Date`, by the sandbox's clock", "assumed",
        "RFC 9110, 6.6.1", "date_header"),
    row("errors", "`errorType` of 409, 413, 422 and any other 4xx that no page has is "
        "`invalid_input`, of 405 and 410 `not_found`, of every 5xx `internal_error`; scripted "
        "faults have the same", "assumed", "-",
        no_option="six values are documented, and these are the nearest"),
    row("errors", "Unknown members and parameters are ignored, and noted in the journal; one that "
        "is near a documented name is a warning of the test", "assumed", "-", "unknown_fields"),
    row("ids", "24 hexadecimal digits in either case, as class-validator takes them; another id in "
        "a path is a 404", "assumed",
        "compliance-data-subscriptions/sync-agent: format mongodb-objectid, no 400",
        "malformed_id"),
    row("ids", "A malformed id in a query or a body is a 400; a list of an unknown association is "
        "empty; an unknown product is a 404", "assumed", "-",
        no_option="a client that sends the ids that it was given sees no difference"),
    # Limits and idempotency
    row("rate limits", "10 token requests and 60 writes a minute per credential; reads are not "
        "limited", "documented", "guides/rate-limiting", "token_requests_per_minute",
        "writes_per_minute"),
    row("rate limits", "Token requests with an unknown `clientId` share one window; those without "
        "a text for it are a 400, and in none", "assumed", "guides/rate-limiting: per API client",
        no_option="a client with credentials of its own sees no difference"),
    row("rate limits", "All writes share one window", "assumed", "-", "write_windows"),
    row("rate limits", "The window is a fixed minute from the first request", "assumed", "-",
        "rate_window"),
    row("rate limits", "`X-RateLimit-*` near the limit and beyond it", "documented",
        "guides/rate-limiting: when you approach or exceed", "rate_headers"),
    row("rate limits", "Near the limit means from 80 % of it on", "assumed", "-", "rate_headers"),
    row("rate limits", "The body of the 429; no `Retry-After`", "documented",
        "guides/rate-limiting", "retry_after"),
    row("idempotency", "Both headers, the UUID rule with its message, and the hour", "documented",
        "guides/idempotency", "idempotency_ttl"),
    row("idempotency", "A key is a UUID of any version, as the message says, or of version 4, as "
        "the headers are described", "disputed", "guides/idempotency, guides/request-response",
        "idempotency_keys"),
    row("idempotency", "For `invite`, `add` and their deprecated variants; the guide names other "
        "paths than the reference", "disputed",
        "guides/idempotency, downstream-entity-associations/invite",
        no_option="the guide's paths are in no other page"),
    row("idempotency", "Per credential, operation and key; the same key with another body is a "
        "422, in which white space and the order of members do not count", "assumed", "-",
        "idempotency_conflict"),
    row("idempotency", "Only successes are stored; the plain header takes precedence; a malformed "
        "key in either header is a 400", "assumed", "-",
        no_option="a client that sends one valid key for one operation sees no difference"),
    row("idempotency", "A replay counts against the rate limit", "assumed",
        "NestJS: guards come before interceptors",
        no_option="a client below the limit sees no difference"),
)  # fmt: skip
"""Conventions, in the order of the docs page."""
