"""Who is calling: bearer tokens, restricted access tokens, and both."""

from collections.abc import Callable

import pytest
from doubles.sandbox_client import PRODUCTION_HOST, Client, refusal

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox

MISSING = (401, "unauthorized", ["Authentication token not provided"])
BAD_BEARER = (401, "unauthorized", ["Invalid or expired token"])
BAD_RESTRICTED = (401, "unauthorized", ["Invalid restricted access token"])
RESTRICTED = "x-restricted-access-token"
AGENTS = "/v1/agents"


def restricted_token(client: Client, *allowed: str) -> str:
    """A restricted access token of the client's sandbox."""
    return client.sandbox.credentials.issue_restricted(allowed=allowed).token


def test_without_a_credential_the_documented_401(client: Client) -> None:
    """No header at all is the documented "Authentication token not provided"."""
    assert refusal(client.get(AGENTS)) == MISSING
    assert client.sandbox.journal[-1].reason == (
        "no Authorization header and no restricted access token"
    )


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(caller: Client, scheme: str) -> None:
    """The name of a scheme is case-insensitive (RFC 9110)."""
    value = f"{scheme} {caller.bearer}"
    assert caller.get(AGENTS, headers={"authorization": value}).status == 200


@pytest.mark.parametrize("form", ["{0}", "Token {0}", "Basic {0}", "Bearer", "Bearer ", "", "{0} "])
def test_only_bearer_and_a_token_count(caller: Client, form: str) -> None:
    """A good token without its scheme, or with another, is refused."""
    value = form.format(caller.bearer)
    assert refusal(caller.get(AGENTS, headers={"authorization": value})) == BAD_BEARER
    assert caller.sandbox.journal[-1].reason == "the Authorization header is not 'Bearer <token>'"


def test_a_doubled_authorization_header_is_refused(caller: Client) -> None:
    """Two Authorization headers are refused, even if both hold the same good token."""
    fields = [("authorization", f"Bearer {caller.bearer}")] * 2
    assert refusal(caller.get(AGENTS, headers=fields)) == BAD_BEARER
    assert caller.sandbox.journal[-1].reason == "the credential header was sent more than once"


def test_a_doubled_restricted_header_is_refused(client: Client) -> None:
    """Two restricted access tokens are refused too."""
    fields = [(RESTRICTED, restricted_token(client))] * 2
    assert refusal(client.get(AGENTS, headers=fields)) == BAD_BEARER


@pytest.mark.parametrize(
    "query", ["token={0}", "access_token={0}", "jwt={0}", "bearer={0}", "q={0}", "a=1&Token={0}"]
)
def test_a_token_in_the_query_is_never_accepted(caller: Client, query: str) -> None:
    """A valid token in the URL is ignored, and the journal says where it belongs."""
    token, caller.bearer = caller.bearer, None
    assert refusal(caller.get(f"{AGENTS}?{query.format(token)}")) == MISSING
    seen = caller.sandbox.journal[-1]
    assert seen.reason == (
        "a token in the URL is never accepted; send it as 'Authorization: Bearer'"
    )
    assert "a token was sent in the URL; Turris says never to do that" in seen.notes


def test_a_restricted_token_in_the_query_is_never_accepted(client: Client) -> None:
    """A restricted access token in the URL is ignored too."""
    token = restricted_token(client)
    assert refusal(client.get(f"{AGENTS}?{RESTRICTED}={token}")) == MISSING


def test_a_token_in_the_url_is_noted_beside_a_good_header(caller: Client) -> None:
    """The request is served for its header; that the URL leaks the token is noted."""
    assert caller.get(f"{AGENTS}?access_token={caller.bearer}").status == 200
    assert "a token was sent in the URL; Turris says never to do that" in (
        caller.sandbox.journal[-1].notes
    )


def test_an_ordinary_query_carries_no_token(caller: Client) -> None:
    """Documented parameters are not taken for tokens."""
    caller.get(f"{AGENTS}?npn=12345678")
    assert caller.sandbox.journal[-1].notes == ()


def test_a_restricted_token_is_as_good_as_a_bearer(client: Client) -> None:
    """Both kinds of credential give access to the same endpoints."""
    headers = {RESTRICTED: restricted_token(client)}
    assert client.get(AGENTS, headers=headers).status == 200
    assert client.post(AGENTS, {"npn": "12345678"}, headers).status == 201


def test_a_restricted_token_is_no_bearer(client: Client) -> None:
    """A restricted access token counts in its own header only."""
    client.bearer = restricted_token(client)
    assert refusal(client.get(AGENTS)) == BAD_BEARER


def test_a_bearer_is_no_restricted_token(caller: Client) -> None:
    """A JWT does not count in the other header."""
    token, caller.bearer = caller.bearer or "", None
    assert refusal(caller.get(AGENTS, headers={RESTRICTED: token})) == BAD_RESTRICTED


def test_an_unknown_restricted_token_is_refused(client: Client) -> None:
    """A token that was not issued here is a 401."""
    assert refusal(client.get(AGENTS, headers={RESTRICTED: "somebody-elses"})) == BAD_RESTRICTED
    assert client.sandbox.journal[-1].reason == (
        "unknown restricted access token: this sandbox did not issue it"
    )


def test_a_revoked_restricted_token_is_refused(client: Client) -> None:
    """A revoked token is refused from the next request on."""
    token = client.sandbox.credentials.issue_restricted()
    client.sandbox.credentials.revoke(token)
    assert refusal(client.get(AGENTS, headers={RESTRICTED: token.token})) == BAD_RESTRICTED
    assert client.sandbox.journal[-1].reason == f"restricted access token {token.name} was revoked"


def test_a_restricted_token_belongs_to_one_environment(client: Client) -> None:
    """The environments do not share restricted access tokens."""
    token = client.sandbox.credentials.issue_restricted(environment="production")
    headers = {RESTRICTED: token.token}
    assert refusal(client.get(AGENTS, headers=headers)) == BAD_RESTRICTED
    assert client.sandbox.journal[-1].reason == (
        f"restricted access token {token.name} belongs to the production environment, "
        "the request went to sandbox"
    )
    assert client.get(AGENTS, headers=headers, host=PRODUCTION_HOST).status == 200


def test_a_foreign_address_gets_the_documented_403(client: Client) -> None:
    """The 403 names the address and the token's last four characters."""
    token = restricted_token(client, "10.0.0.0/8")
    response = client.get(AGENTS, headers={RESTRICTED: token}, client_ip="192.168.1.1")
    message = f'IP address "192.168.1.1" not in allowed list for token "***-{token[-4:]}"'
    assert refusal(response) == (403, "forbidden", [message])


@pytest.mark.parametrize(
    ("allowed", "address"),
    [
        ("192.168.1.1", "192.168.1.1"),
        ("192.168.1.0/24", "192.168.1.255"),
        ("0.0.0.0/0", "8.8.8.8"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:db8::1", "2001:0db8:0:0::0001"),
        ("2001:db8::/32", "2001:db8:ffff::5"),
        ("192.168.1.1", "::ffff:192.168.1.1"),
        ("192.168.0.0/16", "::ffff:192.168.7.7"),
        ("::ffff:192.168.1.1", "192.168.1.1"),
        ("::ffff:192.168.1.1", "::ffff:192.168.1.1"),
        ("::ffff:192.168.0.0/112", "192.168.3.4"),
    ],
)
def test_an_allowed_address_passes(client: Client, allowed: str, address: str) -> None:
    """IPv4, IPv6, networks; an IPv4-mapped IPv6 address counts as its IPv4 address."""
    token = restricted_token(client, "203.0.113.9", allowed)
    response = client.get(AGENTS, headers={RESTRICTED: token}, client_ip=address)
    assert response.status == 200


@pytest.mark.parametrize(
    ("allowed", "address"),
    [
        ("192.168.1.1", "192.168.1.2"),
        ("192.168.1.0/24", "192.168.2.0"),
        ("2001:db8::/32", "2001:db9::1"),
        ("2001:db8::/32", "32.1.13.184"),
        ("192.168.1.1", "::192.168.1.1"),
        ("192.168.1.1", "::ffff:192.168.1.2"),
        ("::1", "127.0.0.1"),
        ("127.0.0.1", "::1"),
        ("0.0.0.0/0", "not an address"),
        ("0.0.0.0/0", ""),
    ],
)
def test_any_other_address_is_refused(client: Client, allowed: str, address: str) -> None:
    """An address outside the list, or a missing one, is a 403."""
    token = restricted_token(client, allowed)
    response = client.get(AGENTS, headers={RESTRICTED: token}, client_ip=address)
    assert response.status == 403


def test_an_empty_allowlist_allows_any_address(client: Client) -> None:
    """Assumed: without entries there is no restriction."""
    token = restricted_token(client)
    response = client.get(AGENTS, headers={RESTRICTED: token}, client_ip="203.0.113.9")
    assert response.status == 200


def test_the_option_client_ip_is_where_requests_come_from() -> None:
    """Option ``client_ip``: allowlists are tested without a network."""
    client = Client(Sandbox(Options(client_ip="203.0.113.9")))
    headers = {RESTRICTED: restricted_token(client, "203.0.113.9")}
    assert client.get(AGENTS, headers=headers, client_ip="127.0.0.1").status == 200


def test_oauth_is_tried_first(caller: Client) -> None:
    """If both headers are valid, the caller is the API client."""
    headers = {RESTRICTED: restricted_token(caller)}
    assert caller.get(AGENTS, headers=headers).status == 200
    assert caller.sandbox.journal[-1].credential == caller.sandbox.client.client_id


def test_a_bad_restricted_token_is_not_looked_at_beside_a_good_bearer(caller: Client) -> None:
    """If OAuth succeeds, the other header is ignored."""
    assert caller.get(AGENTS, headers={RESTRICTED: "wrong-token"}).status == 200


def test_the_restricted_token_is_the_fallback(client: Client) -> None:
    """If OAuth fails, the restricted access token is tried."""
    token = client.sandbox.credentials.issue_restricted()
    client.bearer = client.sandbox.tokens.forge("expired")
    assert client.get(AGENTS, headers={RESTRICTED: token.token}).status == 200
    assert client.sandbox.journal[-1].credential == token.name


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.1"])
def test_if_both_fail_the_bearers_words_count(client: Client, address: str) -> None:
    """Two bad credentials of any kind get the 401 of the bearer token."""
    client.bearer = client.sandbox.tokens.forge("wrong_key")
    token = "unknown-token" if address == "127.0.0.1" else restricted_token(client, "10.0.0.1")
    response = client.get(AGENTS, headers={RESTRICTED: token}, client_ip=address)
    assert refusal(response) == BAD_BEARER
    assert client.sandbox.journal[-1].reason.startswith(
        "neither the bearer nor the restricted access token is valid: "
    )


def test_if_both_fail_the_restricted_tokens_refusal_may_count(
    caller_with: Callable[..., Client],
) -> None:
    """No page says whose refusal it is: the last one may be the documented 403."""
    caller = caller_with(failed_fallback="restricted_token")
    caller.bearer = caller.sandbox.tokens.forge("expired")
    token = restricted_token(caller, "10.0.0.1")
    outside = caller.get(AGENTS, headers={RESTRICTED: token}, client_ip="192.168.1.1")
    status, kind, (text,) = refusal(outside)
    assert (status, kind) == (403, "forbidden")
    assert text.startswith('IP address "192.168.1.1" not in allowed list')
    assert caller.sandbox.journal[-1].reason.startswith("neither the bearer nor the restricted")
    assert refusal(caller.get(AGENTS, headers={RESTRICTED: "unknown"})) == BAD_RESTRICTED
    assert caller.get(AGENTS, headers={RESTRICTED: token}, client_ip="10.0.0.1").status == 200


def test_revoking_a_client_kills_its_tokens(caller: Client) -> None:
    """The tokens of a revoked client are refused."""
    caller.sandbox.credentials.revoke(caller.sandbox.client)
    assert refusal(caller.get(AGENTS)) == BAD_BEARER
    assert caller.sandbox.journal[-1].reason == (
        f"API client {caller.sandbox.client.client_id} was revoked, and so were its tokens"
    )


def test_revoking_a_client_leaves_the_others(caller: Client) -> None:
    """Another client's token stays valid."""
    other = caller.sandbox.credentials.issue()
    caller.sandbox.credentials.revoke(other)
    assert caller.get(AGENTS).status == 200


def test_the_token_test_answers_a_bare_message(caller: Client) -> None:
    """``test-oauth`` answers without an envelope, as in the guide."""
    response = caller.get("/v1/auth/test-oauth")
    assert response.status == 200
    assert response.json() == {"message": "If you see this message, your access token works."}


def test_the_token_test_is_for_oauth_only(client: Client) -> None:
    """``test-oauth`` ignores a restricted access token."""
    headers = {RESTRICTED: restricted_token(client)}
    assert refusal(client.get("/v1/auth/test-oauth", headers=headers)) == MISSING


def test_reading_does_not_include_writing(client: Client) -> None:
    """A client with ``read`` only gets a 403 for a write."""
    reader = client.sandbox.credentials.issue(permissions=["read"])
    client.bearer = client.sandbox.tokens.issue(reader).text
    assert client.get(AGENTS).status == 200
    assert refusal(client.post(AGENTS, {"npn": "1"})) == (
        403,
        "forbidden",
        ["Insufficient permissions"],
    )
    assert client.sandbox.journal[-1].reason == (
        f"create_agent needs the permission 'write'; {reader.client_id} has read"
    )


def test_writing_does_not_include_reading(client: Client) -> None:
    """A client with ``write`` only gets a 403 for a read."""
    writer = client.sandbox.credentials.issue(permissions=["write"])
    client.bearer = client.sandbox.tokens.issue(writer).text
    assert client.get(AGENTS).status == 403
    assert client.post(AGENTS, {"npn": "1"}).status == 201


def test_restricted_tokens_may_be_for_reading_only() -> None:
    """Option ``restricted_token_access='read'``, as the help centre says."""
    client = Client(Sandbox(Options(restricted_token_access="read")))
    headers = {RESTRICTED: restricted_token(client)}
    assert client.get(AGENTS, headers=headers).status == 200
    assert client.post(AGENTS, {"npn": "1"}, headers).status == 403
    client.token()
    assert client.post(AGENTS, {"npn": "1"}).status == 201
