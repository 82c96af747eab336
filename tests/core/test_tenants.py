"""Several sandboxes behind one door: the credential of a request selects one."""

import jwt
import pytest
from doubles.sandbox_client import SANDBOX_HOST, Client

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tenants import (
    _LONGEST_TOKEN,
    NoSandboxError,
    TenantDirectory,
    _subject,
    credentials_in,
)
from pytest_turris.core.wire.messages import Request


@pytest.fixture
def older() -> Sandbox:
    """The sandbox that was added first."""
    return Sandbox(name="older")


@pytest.fixture
def newer() -> Sandbox:
    """The sandbox that was added last."""
    return Sandbox(name="newer")


@pytest.fixture
def door(older: Sandbox, newer: Sandbox) -> TenantDirectory:
    """Two sandboxes behind one door."""
    tenants = TenantDirectory()
    tenants.add(older)
    tenants.add(newer)
    return tenants


def request_with(path: str = "/v1/agents", body: bytes = b"", /, **headers: str) -> Request:
    """A request with headers given as ``x_y``."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    method = "POST" if body else "GET"
    return Request(method=method, path=path, headers=fields, body=body, host=SANDBOX_HOST)


def test_a_token_finds_its_sandbox(door: TenantDirectory, older: Sandbox, newer: Sandbox) -> None:
    """The bearer names the client, and the client its sandbox."""
    for sandbox in (older, newer):
        token = sandbox.tokens.issue(sandbox.client).text
        request = request_with(authorization=f"Bearer {token}")
        assert door.find(request) is sandbox
        assert door.handle(request).status == 200
    assert [older.journal.seen, newer.journal.seen] == [1, 1]


def test_credentials_find_their_sandbox(door: TenantDirectory, older: Sandbox) -> None:
    """A token request is answered by the sandbox whose client asks."""
    client = older.client
    body = f'{{"clientId":"{client.client_id}","clientSecret":"{client.client_secret}"}}'
    request = request_with("/v1/auth/jwt", body.encode(), content_type="application/json")
    assert door.handle(request).status == 201
    assert older.token_requests == 1


def test_a_wrong_secret_still_finds_the_sandbox(door: TenantDirectory, older: Sandbox) -> None:
    """The client id is enough to select the journal that records the refusal."""
    body = f'{{"clientId":"{older.client.client_id}","clientSecret":"wrong"}}'
    request = request_with("/v1/auth/jwt", body.encode(), content_type="application/json")
    assert door.handle(request).status == 401
    assert older.journal[-1].reason == f"wrong clientSecret for {older.client.client_id}"


def test_a_restricted_token_finds_its_sandbox(door: TenantDirectory, older: Sandbox) -> None:
    """So does a restricted access token, even next to a bad bearer token."""
    token = older.credentials.issue_restricted().token
    assert door.find(request_with(x_restricted_access_token=token)) is older
    request = request_with(x_restricted_access_token=token, authorization="Bearer nonsense")
    assert door.find(request) is older


def test_a_forged_token_gets_no_further_than_the_journal(
    door: TenantDirectory, older: Sandbox
) -> None:
    """The sandbox of the client that a forged token names refuses it."""
    token = older.tokens.forge("wrong_key", client=older.client)
    assert door.handle(request_with(authorization=f"Bearer {token}")).status == 401
    assert older.journal[-1].reason == "wrong signature: forged, or changed in transit"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Bearer \N{SNOWMAN}"},
        {"authorization": "Bearer " + jwt.encode({"sub": "somebody"}, "k" * 32)},
        {"authorization": "Bearer " + jwt.encode({}, "k" * 32)},
        {"x_restricted_access_token": "somebody-elses"},
    ],
)
def test_an_unknown_credential_goes_to_the_newest(
    door: TenantDirectory, newer: Sandbox, headers: dict[str, str]
) -> None:
    """A request without a known credential is answered by the sandbox that was added last."""
    request = request_with(**headers)
    assert door.find(request) is newer
    assert door.handle(request).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"\xff",
        b"null",
        b"[" * 100_000,
        b'{"clientId":null}',
        b'{"clientId":' + b"9" * 5_000 + b"}",
        b'{"clientId":["a"]}',
        b'{"clientId":"somebody"}',
        b'{"clientId":"' + b"x" * 70_000 + b'"}',
    ],
    ids=range(10),
)
def test_an_odd_token_request_goes_to_the_newest(
    door: TenantDirectory, newer: Sandbox, body: bytes
) -> None:
    """Any body is answered with a refusal."""
    request = request_with("/v1/auth/jwt", body, content_type="application/json")
    assert door.find(request) is newer
    assert 400 <= door.handle(request).status < 500


def test_a_body_counts_for_tokens_only(
    door: TenantDirectory, older: Sandbox, newer: Sandbox
) -> None:
    """``clientId`` counts in a token request only."""
    body = f'{{"clientId":"{older.client.client_id}"}}'.encode()
    assert door.find(request_with("/v1/agents", body)) is newer


def test_one_sandbox_alone_answers_everything(older: Sandbox) -> None:
    """With one sandbox the request is not examined."""
    tenants = TenantDirectory()
    tenants.add(older)
    assert tenants.find(request_with()) is older


def test_a_removed_sandbox_is_not_asked(
    door: TenantDirectory, older: Sandbox, newer: Sandbox
) -> None:
    """After ``remove`` its credentials are unknown."""
    token = newer.tokens.issue(newer.client).text
    door.remove(newer)
    assert len(door) == 1
    assert door.find(request_with(authorization=f"Bearer {token}")) is older


def test_no_sandbox(older: Sandbox) -> None:
    """A request after the end of the test is an error with that hint."""
    tenants = TenantDirectory()
    tenants.add(older)
    tenants.remove(older)
    with pytest.raises(NoSandboxError, match="no sandbox is behind this door; is the test over"):
        tenants.handle(request_with())


def test_sandboxes_share_nothing(older: Sandbox, newer: Sandbox) -> None:
    """Records, tokens, limits and clock of one are not those of another."""
    older.agents.add(npn="1")
    older.limits.exhaust()
    older.clock.advance(hours=5)
    client = Client(newer)
    client.token()
    assert client.get("/v1/agents").json()["data"] == []
    assert newer.clock.offset.total_seconds() == 0
    assert newer.token_requests == 1


def test_a_door_that_outlives_the_test_answers_503(older: Sandbox) -> None:
    """A shared door refuses in Turris' shape; with a sandbox it answers as usual."""
    tenants = TenantDirectory()
    refused = tenants.answer(request_with())
    assert (refused.status, refused.json()) == (
        503,
        {
            "statusCode": 503,
            "errorType": "internal_error",
            "errorMessage": ["no sandbox is behind this door; is the test over?"],
        },
    )
    tenants.add(older)
    assert tenants.answer(request_with()).status == 401


def test_a_token_of_any_length_is_not_remembered(older: Sandbox) -> None:
    """One that no sandbox issues would fill the memory; all that are issued are short enough."""
    issued = older.tokens.issue(older.client).text
    _subject.cache_clear()
    for token in (issued, issued + "x" * 10_000):
        fields = (("authorization", f"Bearer {token}"),)
        credentials_in(Request(method="GET", path="/", headers=fields))
    assert _subject.cache_info().currsize == 1
    assert len(issued) < _LONGEST_TOKEN / 4
