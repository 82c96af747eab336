"""A request once more: as curl, as a test that passes, sent again, taken back, forked."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from doubles.served_here import KeptLog, served
from doubles.visitor import Visitor

from mock_server.control.tenants import DEFAULT
from mock_server.page.reproduction.recipe import step_before
from mock_server.page.resending import exchange_of, request_again
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.store.store import Store
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request


class Client:
    """Makes requests to the sandbox of a visitor."""

    def __init__(self, visitor: Visitor) -> None:
        self.sandbox = visitor.sandbox
        self._tenant = visitor.server.tenants.default

    def call(
        self, method: str, path: str, token: object = "", body: object = None, **headers: str
    ) -> int:
        """A request; 0 if there is no answer."""
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        fields += [("authorization", f"Bearer {token}")] if token else []
        content = json.dumps(body).encode() if body is not None else b""
        fields += [("content-type", "application/json")] if content else []
        path, _, query = path.partition("?")
        request = Request(
            method=method, path=path, query=query, headers=tuple(fields), body=content,
            scheme="http", host=self.sandbox.base_url.partition("://")[2],
        )  # fmt: skip
        try:
            return self._tenant.handle(request).status
        except ConnectionFailure:
            return 0

    @property
    def token(self) -> str:
        """A token that is accepted."""
        return str(self.sandbox.tokens.issue(self.sandbox.client).text)

    def token_request(self, secret: str = "") -> int:
        """A token request, with the right secret or another."""
        client = self.sandbox.client
        right = secret or str(client.client_secret)
        body = {"clientId": client.client_id, "clientSecret": right}
        return self.call("POST", "/v1/auth/jwt", body=body)


@pytest.fixture
def client(visitor: Visitor) -> Client:
    """A client of a sandbox that is as it was at its start."""
    visitor.server.tenants.default.reset()
    visitor.sandbox.seed("small_agency")
    return Client(visitor)


def _expired(client: Client) -> int:
    token = client.token
    client.sandbox.clock.advance(client.sandbox.options.token_ttl * 2)
    return client.call("GET", "/v1/agents", token)


def _revoked(client: Client) -> int:
    token = client.token
    client.sandbox.tokens.revoke_all()
    return client.call("GET", "/v1/agents", token)


def _too_many(client: Client) -> int:
    client.sandbox.limits.exhaust("token")
    return client.token_request()


def _failing(client: Client) -> int:
    client.sandbox.faults.add("list_agents", status=503)
    return client.call("GET", "/v1/agents", client.token)


def _broken(client: Client) -> int:
    client.sandbox.faults.add("list_agents", error="reset")
    return client.call("GET", "/v1/agents", client.token)


def _of_a_record(client: Client) -> int:
    policy = next(iter(client.sandbox.policies))
    return client.call("GET", f"/v1/policies/{policy.id}", client.token)


def _restricted(client: Client, method: str = "GET", **given: Any) -> int:  # noqa: ANN401 - what issue_restricted takes
    token = client.sandbox.credentials.issue_restricted(**given)
    body: dict[str, str] | None = {} if method == "POST" else None
    return client.call(method, "/v1/agents", body=body, x_restricted_access_token=str(token.token))


def _restricted_revoked(client: Client) -> int:
    token = client.sandbox.credentials.issue_restricted()
    client.sandbox.credentials.revoke(token)
    return client.call("GET", "/v1/agents", x_restricted_access_token=str(token.token))


CASES: dict[str, tuple[Callable[[Client], int], int]] = {
    "a list": (lambda one: one.call("GET", "/v1/agents?page=1", one.token, accept="a/b"), 200),
    "no token": (lambda one: one.call("GET", "/v1/agents"), 401),
    "an expired token": (_expired, 401),
    "a revoked token": (_revoked, 401),
    "a forged token": (
        lambda one: one.call("GET", "/v1/agents", one.sandbox.tokens.forge("alg_none")), 401
    ),
    "a malformed token": (lambda one: one.call("GET", "/v1/agents", "nonsense"), 401),
    "no such path": (lambda one: one.call("GET", "/v1/no'pe\"\\", one.token), 404),
    "a token request": (lambda one: one.token_request(), 201),
    "a wrong secret": (lambda one: one.token_request("nonsense"), 401),
    "too many": (_too_many, 429),
    "a scripted fault": (_failing, 503),
    "no answer": (_broken, 0),
    "a body that is refused": (
        lambda one: one.call("POST", "/v1/agents", one.token, {"'''\"\"\"": "\n"}), 400
    ),
    "a record": (_of_a_record, 200),
    "a restricted token": (_restricted, 200),
    "a restricted token of elsewhere": (lambda one: _restricted(one, allowed=["10.0.0.1"]), 403),
    "a restricted token to read": (lambda one: _restricted(one, "POST", permissions=["read"]), 403),
    "a restricted token that is revoked": (_restricted_revoked, 401),
}  # fmt: skip


def test_a_copied_test_passes_when_it_is_pasted(
    visitor: Visitor, client: Client, pytester: pytest.Pytester
) -> None:
    """Each refusal with its own cause, and an answer with the records that it needs."""
    for number, (made, status) in enumerate(CASES.values()):
        visitor.server.tenants.default.reset()
        visitor.sandbox.seed("small_agency")
        assert made(client) == status
        seen = visitor.post(f"requests/{visitor.sandbox.journal.seen}/pytest")
        assert seen.status == 200, seen.text
        assert "turris_sandbox_secret_" not in seen.text
        pytester.makepyfile(**{f"test_{number}": seen.text})
    result = pytester.runpytest_subprocess("-q", "-p", "no:randomly")
    result.assert_outcomes(passed=len(CASES))


def test_a_copied_test_has_the_options_of_the_sandbox(pytester: pytest.Pytester) -> None:
    """Those that are not at their defaults, and no secret."""
    options = Options(unknown_method="method_not_allowed", webhook_secret="my-own-webhook-secret")
    options = options.replaced({"token_ttl": options.token_ttl * 2})
    with served(options) as server:
        visitor = Visitor(server).signed_in()
        assert Client(visitor).call("PATCH", "/v1/agents") == 405
        text = visitor.post("requests/1/pytest").text
    assert "unknown_method='method_not_allowed'" in text
    assert "timedelta(seconds=7200)" in text
    assert "my-own" not in text
    pytester.makepyfile(text)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_what_cannot_be_reproduced_is_said(visitor: Visitor, client: Client) -> None:
    """Nothing is copied that would fail when it is pasted."""
    policy = next(iter(client.sandbox.policies))
    client.call("GET", f"/v1/policies/{policy.id}", client.token)
    gone = client.sandbox.journal.seen
    client.sandbox.policies.remove(policy)
    seen = visitor.post(f"requests/{gone}/pytest")
    assert (seen.status, "what it depended on is gone" in seen.text) == (409, True)
    client.call("POST", "/v1/agents", client.token, {"a": "b" * 3_000})
    for kind in ("pytest", "curl"):
        assert visitor.post(f"requests/{client.sandbox.journal.seen}/{kind}").status == 409
    assert "2 KiB" in visitor.post(f"requests/{client.sandbox.journal.seen}/again").text
    client.call("GET", "/v1/agents?npn=" + "5" * 3_000, client.token)
    assert "beginning" in visitor.post(f"requests/{client.sandbox.journal.seen}/again").text
    restricted = client.sandbox.credentials.issue_restricted()
    client.call("GET", "/v1/agents", client.token, x_restricted_access_token=str(restricted.token))
    seen = visitor.post(f"requests/{client.sandbox.journal.seen}/pytest")
    assert (seen.status, "two kinds" in seen.text) == (409, True)
    assert visitor.post("requests/x/pytest").status == 400
    assert visitor.post("requests/12345/pytest").status == 404


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("name", ["a list", "a token request", "no such path", "no token"])
def test_a_copied_command_gives_the_same_status(
    visitor: Visitor, client: Client, name: str
) -> None:
    """In a shell that has the client's environment variables."""
    made, status = CASES[name]
    made(client)
    text = visitor.post(f"requests/{client.sandbox.journal.seen}/curl").text
    assert "turris_sandbox_secret" not in text
    variables = visitor.server.environment() | {"PATH": "/usr/bin:/bin"}
    subprocess.run(["/bin/sh", "-c", text], env=variables, check=True, capture_output=True)
    assert client.sandbox.journal[-1].status == status


def test_commands_have_what_the_request_had(visitor: Visitor, client: Client) -> None:
    """Quoted for the shell."""
    client.call("POST", "/v1/agents", client.token, {"a": "it's $HOME"}, x_own="`id`")
    client.call("GET", "/v1/agents", x_restricted_access_token="one")
    seen = client.sandbox.journal.seen
    text = visitor.post(f"requests/{seen - 1}/curl").text
    assert "-H 'x-own: `id`'" in text
    assert """--data-raw '{"a": "it'"'"'s $HOME"}'""" in text
    assert "$TURRIS_RESTRICTED_TOKEN" in visitor.post(f"requests/{seen}/curl").text


@pytest.mark.parametrize("name", ["a list", "a token request", "a wrong secret", "a revoked token"])
def test_sent_again_it_is_answered_the_same(visitor: Visitor, client: Client, name: str) -> None:
    """With the secret that the journal masks."""
    made, status = CASES[name]
    made(client)
    number = client.sandbox.journal.seen
    seen = visitor.post(f"requests/{number}/again")
    assert f"number {number + 1}: {status}" in seen.text
    assert client.sandbox.journal[-1].status == status


def test_sent_again_without_an_answer(visitor: Visitor, client: Client) -> None:
    """A fault that fires says so."""
    client.call("GET", "/v1/agents", client.token)
    client.sandbox.faults.add("list_agents", error="reset")
    assert "no answer" in visitor.post(f"requests/{client.sandbox.journal.seen}/again").text


def test_sent_again_with_a_restricted_token(visitor: Visitor, client: Client) -> None:
    """Its text is put back too."""
    restricted = client.sandbox.credentials.issue_restricted()
    client.call("GET", "/v1/agents", x_restricted_access_token=str(restricted.token))
    tenant = visitor.server.tenants.default
    exchange = exchange_of(client.sandbox, client.sandbox.journal.seen)
    request = request_again(tenant, exchange)
    assert request.header("x-restricted-access-token") == str(restricted.token)


def test_token_requests_that_are_no_json(visitor: Visitor, client: Client) -> None:
    """They are copied as they came."""
    client.call("POST", "/v1/auth/jwt", body="text")
    client.call("POST", "/v1/auth/jwt", content_type="application/json")
    for number in (client.sandbox.journal.seen, client.sandbox.journal.seen - 1):
        assert visitor.post(f"requests/{number}/curl").status == 200
        assert visitor.post(f"requests/{number}/pytest").status == 200


def test_without_a_store_there_is_nothing_to_go_back_to(visitor: Visitor, client: Client) -> None:
    """The buttons say so, and so does the answer."""
    client.call("GET", "/v1/agents")
    number = client.sandbox.journal.seen
    text = visitor.get(f"requests/{number}").text
    assert text.count('disabled aria-describedby="no-store"') == 2
    for what in ("rewind", "fork"):
        assert "--store" in visitor.post(f"requests/{number}/{what}").text


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Visitor]:
    """A visitor of a server with a store."""
    lines: list[str] = []
    log = KeptLog(lines)
    store, sandbox = Store.open(tmp_path / "state", log.warn), Sandbox()
    store.attach(sandbox, DEFAULT)
    with StandaloneSandbox(sandbox, ServerSettings(), log, store) as server:
        yield Visitor(server).signed_in()
    store.close()
    log.close()
    assert not [line for line in lines if "a bug" in line]


def test_rewind_and_fork(kept: Visitor) -> None:
    """To just before a request: what it changed is not there."""
    client = Client(kept)
    sandbox = kept.sandbox
    sandbox.seed("small_agency")
    url = "http://127.0.0.1:9/webhooks"
    webhook = kept.do("webhooks register", url=url, event="PRODUCER_AGREEMENT_EXECUTED")
    assert webhook.status == 200
    (endpoint,) = sandbox.outbox.endpoints
    token = client.token
    assert client.call("DELETE", f"/v1/webhooks/{endpoint.id}", token) < 300
    number = sandbox.journal.seen
    text = kept.post(f"requests/{number}/pytest").text
    assert "World.read(" in text
    assert len(sandbox.outbox.endpoints) == 0
    seen = kept.post(f"requests/{number}/fork")
    assert seen.status == 204, seen.text
    name = f"default-before-{number}"
    assert seen.headers["hx-redirect"] == f"/__sandbox__/page/{name}/overview"
    other = kept.server.tenants.get(name)
    assert other
    assert len(other.sandbox.outbox.endpoints) == 1
    assert other.sandbox.client.client_id != sandbox.client.client_id
    assert kept.post(f"requests/{number}/fork").headers["hx-redirect"].endswith("-2/overview")
    assert "as it was before request" in kept.post(f"requests/{number}/rewind").text
    assert len(sandbox.outbox.endpoints) == 1
    assert not kept.get(f"requests/{number}").text.count("disabled")


def test_history_that_does_not_reach_back(kept: Visitor) -> None:
    """It is said; the test is tried with the state as it is now."""
    client = Client(kept)
    client.call("GET", "/v1/agents", client.token)
    kept.server.tenants.default.kept.history.prune(10_000)  # type: ignore[union-attr] # it has one
    assert "does not reach back" in kept.post("requests/1/rewind").text
    assert kept.post("requests/1/pytest").status == 200


def test_a_step_far_back_in_the_history() -> None:
    """The history is read part by part, from its end."""
    steps = [SimpleNamespace(number=one, exchange=one) for one in range(1, 2_001)]

    def last(count: int, before: int | None = None) -> list[SimpleNamespace]:
        return steps[: before - 1 if before else None][-count:]

    tenant: Any = SimpleNamespace(kept=SimpleNamespace(history=SimpleNamespace(steps=last)))
    assert step_before(tenant, 2_000) == 1_999
    assert step_before(tenant, 700) == 699
    assert step_before(tenant, 1) is None
