"""The rules for token clients as data: what, why, from where, and the usual bug.

Ids and sources are those of the catalogue of OAuth client-credentials rules; "vendor" is
docs.turrisfi.com, guides/security unless named otherwise.
"""

from dataclasses import dataclass

from pytest_turris.core.levels import Level


@dataclass(frozen=True)
class Rule:
    """One rule. ``needs`` names what a test has to give beside the call."""

    id: str
    title: str
    usual_bug: str
    source: str
    level: Level = "must"
    needs: str = ""


_ALL = (
    Rule("TC-01", "One token serves many calls", "a token is fetched for each call",
         "vendor: cache tokens"),
    Rule("TC-02", "A cold start under load asks once", "no lock around the first token",
         "authlib guards it with a lock"),
    Rule("TC-03", "A refresh under load asks once", "the expiry is checked outside the lock only",
         "botocore: one thread refreshes"),
    Rule("TC-04", "Several clients ask once each", "the cache is keyed by call, not by client",
         "authlib issue 673", needs="new_client"),
    Rule("TC-05", "A token is replaced inside its buffer, to the millisecond",
         "the buffer is forgotten, inverted, or >= stands for >", "vendor: elapsed > TTL - buffer"),
    Rule("TC-06", "An expired token is never sent",
         "the expiry is not looked at after a quiet hour", "vendor: expiration handling"),
    Rule("TC-07", "A token's age counts from before its request",
         "the clock is read when a slow answer arrives", "conservative clock handling"),
    Rule("TC-08", "A wall clock that jumps makes no loop",
         "age is wall time and its sign is not checked", "golang/oauth2, Supabase's refresh storm"),
    Rule("TC-09", "A server clock that differs changes nothing",
         "iat, exp or Date are compared with the local clock", "golang/oauth2: 10 s delta"),
    Rule("TC-10", "A shorter expiresIn is honoured", "60 minutes are hard-coded", "RFC 6749, 5.1"),
    Rule("TC-11", "A strange expiresIn neither crashes, loops nor lasts for ever",
         "int(expiresIn) without bounds", "RFC 6749, 5.1: the member may be absent"),
    Rule("TC-12", "A 401 in flight is tried once more with a new token",
         "a 401 is given to the caller at once", "RFC 6750, 3.1"),
    Rule("TC-13", "A lasting 401 is tried once more and no further", "retry until it works",
         "azure-core: at most once"),
    Rule("TC-14", "A 401 of the token endpoint is final", "bad credentials are retried",
         "cf-java-client issue 1026"),
    Rule("TC-15", "A 403 asks for no new token", "401 and 403 share a branch", "RFC 6750, 3.1"),
    Rule("TC-16", "No token or secret in a URL", "?access_token= as a shortcut",
         "vendor: never in URL parameters; RFC 9700, 4.3.2"),
    Rule("TC-17", "HTTPS only", "the base URL's scheme is not looked at",
         "vendor: always HTTPS; RFC 6749, 10.8", needs="new_client"),
    Rule("TC-18", "Certificates are checked", "verify=False left over from a proxy",
         "RFC 6749, 10.9; RFC 6750, 5.3", needs="new_client"),
    Rule("TC-19", "No downgrade to http by redirect", "redirects are followed blindly",
         "CVE-2018-18074, CVE-2022-31043"),
    Rule("TC-20", "No credential goes to another origin by redirect",
         "x-restricted-access-token and bodies are forwarded by every HTTP client",
         "RFC 9110, 15.4; measured"),
    Rule("TC-21", "The token request is not repeated elsewhere",
         "307 repeats the body with clientSecret", "RFC 9700, 4.12"),
    Rule("TC-22", "A revoked token is replaced", "the cache is never dropped before its time",
         "vendor: revoke credentials"),
    Rule("TC-23", "Revoked credentials fail boundedly", "each call asks again and again",
         "cf-java-client issue 1026"),
    Rule("TC-24", "A rotated secret is picked up", "the secret is read at import time",
         "vendor: rotate credentials", level="should", needs="new_client"),
    Rule("TC-25", "A new signing key changes nothing",
         "the client verifies the token with a pinned key", "RFC 9068, 6: opaque to clients"),
    Rule("TC-26", "What stands in the token is not believed", "exp is read from the unverified JWT",
         "RFC 8725, 3.1; RFC 9068, 6"),
    Rule("TC-27", "An unknown tokenType is refused, bearer in any case taken",
         "tokenType is not looked at", "RFC 6749, 7.1 and 5.1"),
    Rule("TC-28", "No secret in logs, output, errors, repr", "the request is part of the error",
         "requests-oauthlib issue 536"),
    Rule("TC-29", "A token file is private", "json.dump to a file with the default mode",
         "botocore: 0600"),
    Rule("TC-30", "Credentials come from configuration alone", "a default in the code",
         "vendor: environment variables", needs="new_client"),
    Rule("TC-31", "White space around a secret does not show it",
         "the HTTP library's error holds the header", "java-slack-sdk issue 566",
         needs="new_client"),
    Rule("TC-32", "The configured environment is the one called", "a hard-coded host",
         "vendor: separate credentials; churnkey/sdk pull 14", needs="new_client"),
    Rule("TC-33", "Credentials of the other environment fail with a clear error",
         "a generic text without status or message", "paddle-node-sdk issue 177", level="should",
         needs="new_client"),
    Rule("TC-34", "One kind of credential in a request", "both headers as a fallback",
         "vendor: authentication, fallback order"),
    Rule("TC-35", "The token goes to the API's host only",
         "next links are followed with the session's headers", "RFC 9700, 4.9"),
    Rule("TC-36", "Proxy credentials do not reach the API", "the proxy's header is the session's",
         "CVE-2023-32681", needs="new_client"),
    Rule("TC-37", "A .netrc does not replace the token", "requests with trust_env",
         "CVE-2024-47081", needs="new_client"),
    Rule("TC-38", "The token request has a timeout", "the library's default is none",
         "AWS Builders' Library"),
    Rule("TC-39", "A write of unknown outcome is not repeated without its key",
         "retries for every method", "RFC 9110, 9.2.2", needs="write"),
    Rule("TC-40", "Writes are throttled at the client", "bursts run into 429",
         "vendor: rate limiting on your end", level="should", needs="write"),
    Rule("TC-41", "A failed refresh falls back on the token that still holds",
         "the old token is dropped first", "botocore's advisory window"),
    Rule("TC-42", "A failing token endpoint makes no storm", "each call tries to refresh",
         "vendor: 10 a minute; AWS Builders' Library"),
    Rule("TC-43", "A cancelled refresh blocks nobody", "the lock or the in-flight marker stays",
         "editor-code-assistant issue 462", needs="an async client"),
    Rule("TC-44", "Forked workers do not deadlock",
         "a lock, or a connection, is carried along by the fork", "editor-code-assistant issue 462",
         level="should", needs="a sync client"),
    Rule("TC-45", "No token in a Referer", "the token is in a URL that redirects", "RFC 9700, 4.2"),
    Rule("TC-46", "A retry repeats key and bytes", "the body is made anew",
         "IETF Idempotency-Key draft", needs="write"),
    Rule("TC-47", "Another operation has another key", "one key for the client's life",
         "vendor: idempotency", needs="write"),
    Rule("TC-48", "A key is a random UUID", "uuid5 of the e-mail address",
         "IETF Idempotency-Key draft, security", needs="write"),
    Rule("TC-49", "A key is not used again after its hour", "a retry queue released too late",
         "vendor: idempotency, 1 h", needs="write"),
    Rule("TC-50", "A lost key cache makes no second effect",
         "the key alone is to make it exactly once", "vendor: in-memory cache", level="info",
         needs="write"),
    Rule("TC-51", "One key header, plain value", "both spellings, or a quoted value",
         "vendor: idempotency; IETF draft", needs="write"),
    Rule("TC-52", "409 and 422 on a key end the matter", "a new key is minted and sent",
         "IETF Idempotency-Key draft", level="should", needs="write"),
    Rule("TC-53", "A double click is one operation", "the key is made when the request is sent",
         "vendor: idempotency", level="should", needs="operation"),
    Rule("TC-54", "Sign-in and invite links are secrets", "the answer is logged",
         "vendor: get-sign-in-url", needs="write"),
    Rule("TC-55", "Personal query values are not logged", "the HTTP library logs whole URLs",
         "vendor: data protection", level="should"),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.id: rule for rule in _ALL}
"""All rules by id, in the order of their ids."""
