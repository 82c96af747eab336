"""Access tokens: claims, expiry, revocation, and forged ones."""

import datetime as dt
from typing import Any, get_args

import jwt
import pytest
from doubles.sandbox_client import MICROSECOND, NOW, PRODUCTION_HOST, Client, refusal
from freezegun import freeze_time

from pytest_turris.core.access import keys
from pytest_turris.core.access.flaws import Flaw
from pytest_turris.core.access.jwks import KEY_ID
from pytest_turris.core.access.tokens import Tokens
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import mask

REFUSED = (401, "unauthorized", ["Invalid or expired token"])
HOUR = dt.timedelta(hours=1)

REASONS: dict[Flaw, str] = {
    "alg_none": "signed with alg 'none'; only RS256 is accepted",
    "hs256_with_public_key": "signed with alg 'HS256'; only RS256 is accepted",
    "wrong_key": "wrong signature: forged, or changed in transit",
    "unknown_kid": "signed with a key that is not in the JWKS (unknown kid)",
    "wrong_issuer": "wrong issuer (iss): expected 'https://sandbox.turris.invalid/'",
    "wrong_audience": "wrong audience (aud): expected 'turris-public-api'",
    "expired": "expired 1 s ago; issued 60:01 min ago, at 09:15:44Z; "
    "the sandbox's clock says 10:15:45Z",
    "other_environment": "belongs to the environment 'production', the request went to 'sandbox'",
    "unknown_token": "validly signed, but not issued by this sandbox: from another test or an "
    "earlier run",
    "malformed": "malformed: not a JWT of three base64url parts",
}


def signed(**claims: object) -> str:
    """A token with the sandbox's own signature and the given claims."""
    options = Options()
    usual = {"iss": options.token_issuer, "aud": options.token_audience, "env": "sandbox"}
    headers = {"kid": KEY_ID}
    return jwt.encode(usual | claims, keys.signing_key(), algorithm="RS256", headers=headers)


def test_carries_the_documented_header_and_the_claims(caller: Client) -> None:
    """RS256 and JWT are derived from the documentation; ``kid`` and the claims are assumed."""
    token = caller.token()
    assert jwt.get_unverified_header(token) == {
        "alg": "RS256",
        "typ": "JWT",
        "kid": "turris-sandbox-test-key-1",
    }
    claims = jwt.decode(token, options={"verify_signature": False})
    jti = claims.pop("jti")
    assert len(jti) == 36
    assert claims == {
        "iss": "https://sandbox.turris.invalid/",
        "sub": caller.sandbox.client.client_id,
        "aud": "turris-public-api",
        "iat": 1742206545,
        "exp": 1742206545 + 3600,
        "env": "sandbox",
    }


def test_pyjwt_verifies_a_token_against_the_jwks(caller: Client) -> None:
    """A consumer that checks signature, issuer, audience and expiry accepts the token."""
    token = caller.token()
    document = caller.get("/.well-known/jwks.json").json()
    assert document == caller.sandbox.tokens.jwks()
    key = jwt.PyJWKSet.from_dict(document)[jwt.get_unverified_header(token)["kid"]]
    with freeze_time(NOW, real_asyncio=True):
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience="turris-public-api",
            issuer="https://sandbox.turris.invalid/",
            options={"require": ["exp", "iat", "sub", "jti"]},
        )
    assert claims["sub"] == caller.sandbox.client.client_id


def test_pyjwt_refuses_a_forged_token_against_the_jwks(sandbox: Sandbox) -> None:
    """The published key does not verify what another key signed."""
    key = jwt.PyJWKSet.from_dict(sandbox.tokens.jwks())[KEY_ID]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(sandbox.tokens.forge("wrong_key"), key, algorithms=["RS256"])


def test_the_jwks_is_that_of_the_key_that_signs() -> None:
    """It is written down, so that a server needs no cryptography to show it."""
    (key,) = Tokens.jwks()["keys"]
    public = keys.signing_key().public_key()
    made = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    assert key == made | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}


def test_the_jwks_holds_no_private_part(sandbox: Sandbox) -> None:
    """Only the public numbers are published."""
    (key,) = sandbox.tokens.jwks()["keys"]
    assert set(key) == {"kty", "key_ops", "n", "e", "kid", "use", "alg"}


def test_holds_to_the_last_microsecond(caller: Client) -> None:
    """59:59.999999 after its issue a token is accepted."""
    caller.sandbox.clock.advance(HOUR - MICROSECOND)
    assert caller.get("/v1/agents").status == 200


def test_expires_to_the_microsecond(caller: Client) -> None:
    """60:00.000000 after its issue a token is refused."""
    caller.sandbox.clock.advance(HOUR)
    assert refusal(caller.get("/v1/agents")) == REFUSED
    assert caller.sandbox.journal[-1].reason.startswith(
        "expired 0 s ago; issued 60:00 min ago, at 10:15:45Z; the sandbox's clock says 11:15:45Z"
    )


def test_expires_to_the_microsecond_when_issued_between_seconds(client: Client) -> None:
    """Expiry counts from the exact moment of issue, not from the whole second of ``iat``."""
    client.sandbox.clock.advance(milliseconds=700)
    client.token()
    client.sandbox.clock.advance(HOUR - MICROSECOND)
    assert client.get("/v1/agents").status == 200
    client.sandbox.clock.advance(MICROSECOND)
    assert refusal(client.get("/v1/agents")) == REFUSED


def test_holds_as_long_as_the_option_says() -> None:
    """Option ``token_ttl`` sets ``expiresIn`` and the expiry."""
    client = Client(Sandbox(Options(token_ttl=dt.timedelta(seconds=90))))
    assert client.ask_for_token().json()["data"]["expiresIn"] == 90
    client.token()
    client.sandbox.clock.advance(dt.timedelta(seconds=90) - MICROSECOND)
    assert client.get("/v1/agents").status == 200
    client.sandbox.clock.advance(MICROSECOND)
    assert refusal(client.get("/v1/agents")) == REFUSED


def test_one_token_may_have_its_own_lifetime(client: Client) -> None:
    """A token issued by hand has its own ``ttl``, zero included."""
    tokens = client.sandbox.tokens
    client.bearer = tokens.issue(client.sandbox.client, ttl=dt.timedelta(0)).text
    assert refusal(client.get("/v1/agents")) == REFUSED
    client.bearer = tokens.issue(client.sandbox.client, ttl=MICROSECOND).text
    assert client.get("/v1/agents").status == 200


def test_every_flaw_has_its_reason() -> None:
    """The table above is complete, and no two flaws share a reason."""
    assert set(REASONS) == set(get_args(Flaw))
    assert len(set(REASONS.values())) == len(REASONS)


@pytest.mark.parametrize("flaw", get_args(Flaw))
def test_a_flawed_token_is_refused(client: Client, flaw: Flaw) -> None:
    """Every flaw is a 401 with the same message; only the journal has different reasons."""
    client.bearer = client.sandbox.tokens.forge(flaw, client=client.sandbox.client)
    assert refusal(client.get("/v1/agents")) == REFUSED
    assert client.sandbox.journal[-1].reason == REASONS[flaw]
    assert client.sandbox.journal[-1].credential is None


@pytest.mark.parametrize("flaw", get_args(Flaw))
def test_a_flawed_token_of_an_unknown_client_is_refused(client: Client, flaw: Flaw) -> None:
    """Without a client, a forged token names one that was never issued."""
    client.bearer = client.sandbox.tokens.forge(flaw)
    assert refusal(client.get("/v1/agents")) == REFUSED
    assert client.sandbox.journal[-1].reason == REASONS[flaw]


def test_a_forged_token_shows_no_other_flaw(sandbox: Sandbox) -> None:
    """PyJWT accepts these tokens without checks of audience and issuer: nothing else is wrong."""
    for flaw in ("wrong_issuer", "wrong_audience", "unknown_token", "other_environment"):
        token = sandbox.tokens.forge(flaw)
        with freeze_time(NOW, real_asyncio=True):
            public = keys.signing_key().public_key()
            jwt.decode(token, public, algorithms=["RS256"], options={"verify_aud": False})


def test_there_is_no_other_flaw(sandbox: Sandbox) -> None:
    """An unknown flaw is refused with the list of flaws."""
    with pytest.raises(ValueError, match="there is no flaw 'stale'; use one of alg_none, hs"):
        sandbox.tokens.forge("stale")  # type: ignore[arg-type] # what is refused


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, "malformed: no iat or exp claim"),
        ({"iat": "x", "exp": "y"}, "malformed: no iat or exp claim"),
        ({"iat": 1, "exp": -(10**20)}, "malformed: iat or exp is not a valid point in time"),
        ({"iat": 10**20, "exp": 1}, "malformed: iat or exp is not a valid point in time"),
        ({"iss": "x"}, "wrong issuer (iss): expected 'https://sandbox.turris.invalid/'"),
        ({"aud": ["x"]}, "wrong audience (aud): expected 'turris-public-api'"),
        ({"env": 5}, "belongs to the environment 5, the request went to 'sandbox'"),
    ],
)
def test_strange_claims_under_a_good_signature_are_refused(
    client: Client, claims: dict[str, Any], reason: str
) -> None:
    """The test key is public, so anyone may sign with it: still a 401."""
    client.bearer = signed(**claims)
    assert refusal(client.get("/v1/agents")) == REFUSED
    assert client.sandbox.journal[-1].reason == reason


def test_a_changed_token_is_refused(caller: Client) -> None:
    """With one character of the signed part changed, the signature is wrong."""
    head, body, signature = caller.token().split(".")
    changed = body[:-1] + ("A" if body[-1] != "A" else "B")
    caller.bearer = f"{head}.{changed}.{signature}"
    assert refusal(caller.get("/v1/agents")) == REFUSED


def test_a_token_of_another_sandbox_is_refused(client: Client) -> None:
    """A token from an earlier test is validly signed, but refused."""
    other = Sandbox(name="other")
    client.bearer = other.tokens.issue(other.client).text
    assert refusal(client.get("/v1/agents")) == REFUSED
    assert client.sandbox.journal[-1].reason == REASONS["unknown_token"]


def test_a_token_of_the_sandbox_is_refused_in_production(caller: Client) -> None:
    """The production host refuses a token of the sandbox environment."""
    assert refusal(caller.get("/v1/agents", host=PRODUCTION_HOST)) == REFUSED
    token = caller.sandbox.tokens.newest
    assert token is not None
    assert caller.sandbox.journal[-1].reason == (
        f"token {mask(token.text)} belongs to the sandbox environment, "
        "the request went to production"
    )


def test_a_token_of_production_is_refused_in_the_sandbox(client: Client) -> None:
    """The sandbox host refuses a token of the production environment."""
    production = client.sandbox.credentials.issue(environment="production")
    client.bearer = client.sandbox.tokens.issue(production).text
    assert refusal(client.get("/v1/agents")) == REFUSED
    assert client.get("/v1/agents", host=PRODUCTION_HOST).status == 200


def test_a_revoked_token_is_refused(caller: Client) -> None:
    """A single token can be revoked; the next one is valid."""
    token = caller.sandbox.tokens.newest
    assert token is not None
    caller.sandbox.tokens.revoke(token)
    assert refusal(caller.get("/v1/agents")) == REFUSED
    assert caller.sandbox.journal[-1].reason == f"token {mask(token.text)} was revoked"
    caller.token()
    assert caller.get("/v1/agents").status == 200


def test_all_tokens_may_be_revoked_at_once(caller: Client) -> None:
    """Every token issued so far is refused; a later one is valid."""
    first = caller.bearer
    second = caller.token()
    caller.sandbox.tokens.revoke_all()
    for caller.bearer in (first, second):
        assert refusal(caller.get("/v1/agents")) == REFUSED
    caller.token()
    assert caller.get("/v1/agents").status == 200


def test_two_tokens_of_one_client_both_hold(caller: Client) -> None:
    """A new token does not end the one before."""
    first = caller.bearer
    second = caller.token()
    assert first != second
    for caller.bearer in (first, second):
        assert caller.get("/v1/agents").status == 200


def test_iterates_over_the_tokens(caller: Client) -> None:
    """The tokens are iterated in the order of their issue; ``newest`` is the last."""
    first, second = caller.bearer, caller.token()
    assert [token.text for token in caller.sandbox.tokens] == [first, second]
    newest = caller.sandbox.tokens.newest
    assert newest is not None
    assert newest.text == second


def test_there_is_no_newest_before_the_first(sandbox: Sandbox) -> None:
    """A fresh sandbox has issued nothing."""
    assert sandbox.tokens.newest is None


def test_forgets_expired_tokens_in_the_long_run(sandbox: Sandbox) -> None:
    """Above a thousand, expired tokens are dropped; valid ones stay."""
    sandbox.tokens.issue(sandbox.client, ttl=dt.timedelta(0))
    kept = [sandbox.tokens.issue(sandbox.client) for _ in range(999)]
    kept.append(sandbox.tokens.issue(sandbox.client))
    assert list(sandbox.tokens) == kept


def test_counts_every_token_request(client: Client) -> None:
    """``token_requests`` counts refused requests too, and nothing else."""
    client.token()
    client.ask_for_token(secret="wrong-secret")
    client.send("POST", "/v1/auth/jwt", body=b"{")
    client.get("/v1/auth/jwt")
    client.get("/v1/agents")
    assert client.sandbox.token_requests == 3


def test_the_repr_of_a_token_does_not_hold_it(caller: Client) -> None:
    """The repr of an issued token shows no part of it."""
    text = caller.token()
    shown = repr(list(caller.sandbox.tokens))
    assert text not in shown
    assert text.split(".")[2] not in shown
