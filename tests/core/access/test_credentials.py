"""Client credentials: exchange, rotation, revocation and environments."""

import datetime as dt
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from doubles.sandbox_client import MICROSECOND, PRODUCTION_HOST, Client, refusal

from pytest_turris.core.access.credential import CredentialError
from pytest_turris.core.sandbox import Sandbox

if TYPE_CHECKING:
    from pytest_turris.core.access.credential import Permission

REFUSED = (401, "unauthorized", ["Invalid client credentials"])
MINUTE = dt.timedelta(minutes=1)


def test_good_credentials_buy_a_token(client: Client) -> None:
    """The documented exchange: 201 with the token, its seconds and its type."""
    response = client.ask_for_token()
    assert response.status == 201
    data = response.json()["data"]
    assert list(data) == ["accessToken", "expiresIn", "tokenType"]
    assert data == {
        "accessToken": client.sandbox.tokens.newest.text,  # type: ignore[union-attr] # it is there
        "expiresIn": 3600,
        "tokenType": "Bearer",
    }


def test_an_unknown_client_id_is_refused(client: Client) -> None:
    """A foreign client id gets a 401, and the journal's reason does not repeat it."""
    assert refusal(client.ask_for_token("m2m-client-abc123", "your-client-secret")) == REFUSED
    assert client.sandbox.journal[-1].reason == "unknown clientId: this sandbox did not issue it"


def test_an_empty_client_id_is_refused(client: Client) -> None:
    """The reason says what is nearly always its cause: settings that were read too early."""
    assert refusal(client.ask_for_token("", "")) == REFUSED
    assert "clientId is empty: was it read before" in client.sandbox.journal[-1].reason


@pytest.mark.parametrize("secret", ["wrong", "", "é", "turris_sandbox_secret_", "\N{SNOWMAN}"])
def test_a_wrong_secret_is_refused_in_the_same_words(client: Client, secret: str) -> None:
    """The client cannot distinguish a wrong secret from a wrong id; the journal can."""
    assert refusal(client.ask_for_token(secret=secret)) == REFUSED
    client_id = client.sandbox.client.client_id
    assert client.sandbox.journal[-1].reason == f"wrong clientSecret for {client_id}"


def test_a_secret_with_a_changed_last_letter_is_refused(client: Client) -> None:
    """The whole secret is compared."""
    secret = client.sandbox.client.client_secret
    assert refusal(client.ask_for_token(secret=secret[:-1] + "x")) == REFUSED
    assert refusal(client.ask_for_token(secret=secret + "x")) == REFUSED
    assert client.ask_for_token(secret=secret).status == 201


def test_secrets_are_compared_in_constant_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long a refusal takes says nothing about how much was right."""
    secret = str(client.sandbox.client.client_secret)
    compared: list[tuple[object, object]] = []

    def differ(one: object, other: object) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", differ)
    assert refusal(client.ask_for_token()) == REFUSED
    assert compared == [(secret.encode(), secret.encode())]


def test_another_clients_secret_is_refused(client: Client) -> None:
    """A client's secret does not work for another client."""
    other = client.sandbox.credentials.issue()
    assert refusal(client.ask_for_token(secret=other.client_secret)) == REFUSED
    assert client.ask_for_token(other.client_id, other.client_secret).status == 201


def test_a_revoked_client_is_refused(client: Client) -> None:
    """After revocation the right secret is refused."""
    client.sandbox.credentials.revoke(client.sandbox.client)
    assert refusal(client.ask_for_token()) == REFUSED
    client_id = client.sandbox.client.client_id
    assert client.sandbox.journal[-1].reason == f"API client {client_id} was revoked"


def test_credentials_of_the_sandbox_are_refused_in_production(client: Client) -> None:
    """A client of the sandbox environment gets no token from the production host."""
    assert refusal(client.ask_for_token(host=PRODUCTION_HOST)) == REFUSED
    assert client.sandbox.journal[-1].reason == (
        f"API client {client.sandbox.client.client_id} belongs to the sandbox environment, "
        "the request went to production"
    )


def test_credentials_of_production_are_refused_in_the_sandbox(client: Client) -> None:
    """A client of the production environment gets no token from the sandbox host."""
    production = client.sandbox.credentials.issue(environment="production")
    id_and_secret = production.client_id, production.client_secret
    assert refusal(client.ask_for_token(*id_and_secret)) == REFUSED
    assert client.ask_for_token(*id_and_secret, host=PRODUCTION_HOST).status == 201


def test_rotation_ends_the_old_secret_at_once(client: Client) -> None:
    """Without an overlap only the new secret is valid."""
    old = client.sandbox.client.client_secret
    rotated = client.sandbox.credentials.rotate(client.sandbox.client)
    assert rotated.client_secret != old
    assert refusal(client.ask_for_token(secret=old)) == REFUSED
    assert client.ask_for_token(secret=rotated.client_secret).status == 201


def test_rotation_with_an_overlap_lets_both_secrets_hold(client: Client) -> None:
    """Until the last microsecond of the overlap, both secrets are valid."""
    old = client.sandbox.client.client_secret
    client.sandbox.credentials.rotate(client.sandbox.client, overlap=MINUTE)
    client.sandbox.clock.advance(MINUTE - MICROSECOND)
    assert client.ask_for_token(secret=old).status == 201
    assert client.ask_for_token().status == 201


def test_an_overlap_begins_again_after_the_clock_was_set_back(client: Client) -> None:
    """From the next use of the old secret; also after a snapshot."""
    sandbox = client.sandbox
    old = sandbox.client.client_secret
    sandbox.credentials.rotate(sandbox.client, overlap=MINUTE)
    sandbox.restore(sandbox.snapshot())
    sandbox.clock.move_to(sandbox.clock.now() - 60 * MINUTE)
    assert client.ask_for_token(secret=old).status == 201
    sandbox.clock.advance(MINUTE - MICROSECOND)
    assert client.ask_for_token(secret=old).status == 201
    sandbox.clock.advance(MICROSECOND)
    assert refusal(client.ask_for_token(secret=old)) == REFUSED


def test_a_negative_overlap_is_refused(client: Client) -> None:
    """And the secret stays."""
    before = str(client.sandbox.client.client_secret)
    with pytest.raises(CredentialError, match=r"overlap=.* is negative"):
        client.sandbox.credentials.rotate(client.sandbox.client, overlap=-MINUTE)
    assert str(client.sandbox.client.client_secret) == before


def test_the_overlap_ends_to_the_microsecond(client: Client) -> None:
    """At the end of the overlap the old secret is refused; the reason names the time."""
    old = client.sandbox.client.client_secret
    client.sandbox.credentials.rotate(client.sandbox.client, overlap=MINUTE)
    client.sandbox.clock.advance(MINUTE)
    assert refusal(client.ask_for_token(secret=old)) == REFUSED
    assert client.sandbox.journal[-1].reason == (
        f"the old clientSecret of {client.sandbox.client.client_id} was valid until 10:16:45Z"
    )
    assert client.ask_for_token().status == 201


def test_a_wrong_secret_is_refused_during_an_overlap(client: Client) -> None:
    """During an overlap, other secrets are still refused."""
    client.sandbox.credentials.rotate(client.sandbox.client, overlap=MINUTE)
    assert refusal(client.ask_for_token(secret="wrong-secret")) == REFUSED


def test_a_second_rotation_ends_the_first_secret(client: Client) -> None:
    """At most two secrets are valid: the newest and the one before."""
    first = client.sandbox.client.client_secret
    client.sandbox.credentials.rotate(client.sandbox.client, overlap=MINUTE)
    client.sandbox.credentials.rotate(client.sandbox.client, overlap=MINUTE)
    assert refusal(client.ask_for_token(secret=first)) == REFUSED


def test_tokens_outlive_a_rotation(caller: Client) -> None:
    """Tokens issued for the old secret stay valid."""
    caller.sandbox.credentials.rotate(caller.sandbox.client)
    assert caller.get("/v1/agents").status == 200


def test_iterates_over_the_clients(sandbox: Sandbox) -> None:
    """The API clients are iterated in the order of their issue."""
    other = sandbox.credentials.issue()
    assert list(sandbox.credentials) == [sandbox.client, other]


def test_finds_a_client_by_its_id(sandbox: Sandbox) -> None:
    """A client is found by its id only."""
    assert sandbox.credentials.client(sandbox.client.client_id) is sandbox.client
    assert sandbox.credentials.client("somebody") is None


def test_each_credential_is_announced(client: Client) -> None:
    """Before its owner gets it, and again when a snapshot is restored."""
    seen: list[str] = []
    credentials = client.sandbox.credentials
    credentials.on_issue = seen.append
    issued = credentials.issue()
    restricted = credentials.issue_restricted()
    assert seen == [issued.client_id, restricted.token]
    assert credentials.restricted == (restricted,)
    seen.clear()
    credentials.restore(credentials.snapshot())
    assert seen == list(credentials.issued)


def test_permissions_are_read_and_write(sandbox: Sandbox) -> None:
    """An unknown permission is refused at once."""
    wrong: list[Permission] = ["admin"]  # type: ignore[list-item] # what is refused
    with pytest.raises(ValueError, match=r"there is no permission 'admin'; use 'read' or 'write'"):
        sandbox.credentials.issue(permissions=wrong)


def test_environments_are_two(sandbox: Sandbox) -> None:
    """An unknown environment is refused at once."""
    with pytest.raises(ValueError, match=r"there is no environment 'staging'; use 'sandbox' or"):
        sandbox.credentials.issue(environment="staging")  # type: ignore[arg-type] # what is refused


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "example.com", "", "300.1.1.1", "::1/129"])
def test_an_allowlist_holds_addresses_and_networks(sandbox: Sandbox, entry: str) -> None:
    """Any other text, or a network with host bits, is refused at once."""
    with pytest.raises(ValueError, match=r"does not appear to be|has host bits set"):
        sandbox.credentials.issue_restricted(allowed=[entry])


def test_secrets_stay_out_of_reprs(sandbox: Sandbox) -> None:
    """No repr of a credential shows its secret, not even a rotated one."""
    old = str(sandbox.client.client_secret)
    sandbox.credentials.rotate(sandbox.client, overlap=MINUTE)
    token = sandbox.credentials.issue_restricted()
    shown = repr([sandbox.client, token, sandbox, list(sandbox.credentials)])
    assert old not in shown
    assert str(sandbox.client.client_secret) not in shown
    assert str(token.token) not in shown
    assert sandbox.client.client_id in shown


@pytest.mark.parametrize(
    "wrong",
    [
        lambda sandbox, text: sandbox.credentials.rotate(text),
        lambda sandbox, text: sandbox.credentials.revoke(text),
        lambda sandbox, text: sandbox.tokens.issue(text),
        lambda sandbox, text: sandbox.tokens.revoke(text),
    ],
)
def test_a_text_is_no_credential(sandbox: Sandbox, wrong: Callable[[Sandbox, str], object]) -> None:
    """An id or a secret in place of its object is refused, and not shown."""
    secret = str(sandbox.client.client_secret)
    with pytest.raises(CredentialError, match=r"got str: pass the object") as caught:
        wrong(sandbox, secret)
    assert secret not in str(caught.value)
