"""The audit of a sandbox that serves: what its clients show, in any language."""

import json
from collections import Counter
from typing import Any

import pytest
from doubles.controlled import Controlled

from mock_server.control.tenant import Tenant
from pytest_turris.audit.live import LiveAudit
from pytest_turris.audit.rules import catalogue
from pytest_turris.audit.rules.rule import Look
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response


class RemoteClient:
    """A client in another process: it sends over a socket, and calls wrong what it is told to."""

    def __init__(self, controlled: Controlled, tenant: Tenant | None = None) -> None:
        self.controlled = controlled
        self.tenant = tenant or controlled.tenants.default
        self.token = ""

    def send(
        self, method: str, path: str, *, query: str = "", body: bytes = b"", **headers: str
    ) -> Response:
        """Send a request with the token, if there is one."""
        fields = {"content-type": "application/json"} | headers
        if self.token:
            fields["authorization"] = f"Bearer {self.token}"
        request = Request(
            method=method,
            path=path,
            query=query,
            body=body,
            headers=tuple(fields.items()),
            host="127.0.0.1:8791",
            scheme="http",
            client_port=50_123,
        )
        return self.tenant.handle(request)

    def sign_in(self) -> None:
        """Get a token."""
        client = self.tenant.sandbox.client
        body = {"clientId": client.client_id, "clientSecret": str(client.client_secret)}
        answer = self.send("POST", "/v1/auth/jwt", body=json.dumps(body).encode())
        self.token = answer.json()["data"]["accessToken"]


@pytest.fixture
def remote() -> RemoteClient:
    """A client that is signed in."""
    client = RemoteClient(Controlled())
    client.sign_in()
    return client


def _audit(remote: RemoteClient) -> Any:
    return remote.controlled.get("/audit")


def _found(remote: RemoteClient) -> list[str]:
    return [one["check"] for one in _audit(remote)["findings"] if one["level"] != "info"]


def test_a_good_client_breaks_nothing(remote: RemoteClient) -> None:
    """What its requests could have broken is proven, and what they had no part in is not."""
    for _ in range(3):
        remote.send("GET", "/v1/agents")
    remote.send("POST", "/v1/agents", body=b'{"npn": "12345678"}')
    shown = _audit(remote)
    states = {line["id"]: line["status"] for line in shown["lines"]}
    assert shown["requests"] == 5
    assert shown["findings"] == []
    assert states["SEC-07"] == states["SEC-08"] == "proven"
    assert states["SEC-06"] == states["SEC-13"] == "not observed"
    assert shown["summary"]["proven"] == list(states.values()).count("proven")


def test_a_finding_has_its_exchange(remote: RemoteClient) -> None:
    """With its number in the journal, and nothing in it is a secret."""
    remote.send("GET", "/v1/agents")
    for _ in range(2):
        remote.send("GET", "/v1/agents", query=f"jwt={remote.token}")
    shown = _audit(remote)
    finding = next(one for one in shown["findings"] if one["check"] == "RQ-01")
    (exchange,) = finding["exchanges"]
    assert finding["operation"] == "list_agents"
    assert exchange["number"] == 3
    assert "GET /v1/agents?jwt=***" in exchange["text"]
    assert remote.controlled.get("/journal/3")["tokenInUrl"]
    assert remote.token.rpartition(".")[2] not in json.dumps(shown)
    violated = remote.controlled.get("/audit", "status=violated")["lines"]
    assert [line["id"] for line in violated] == ["SEC-07", "SEC-18"]
    assert finding["fingerprint"] in violated[0]["findings"]


def test_a_change_by_the_test_is_not_a_repetition(remote: RemoteClient) -> None:
    """A write without an answer, and the same one after a control: the test made both."""
    for _ in range(2):
        remote.controlled.call("POST", "/faults", operation="create_agent", status=500)
        remote.send("POST", "/v1/agents", body=b'{"npn": "12345678"}')
    assert _found(remote) == []


def test_a_client_that_repeats_a_write_is_found(remote: RemoteClient) -> None:
    """Without an idempotency key, after an answer that says nothing about its effect."""
    remote.controlled.call("POST", "/faults", operation="create_agent", status=500)
    for _ in range(2):
        remote.send("POST", "/v1/agents", body=b'{"npn": "12345678"}')
    assert _found(remote) == ["RQ-10"]


def test_long_bodies_that_differ_at_their_end_are_two_requests(remote: RemoteClient) -> None:
    """Only the beginning of a long body is kept."""
    remote.controlled.call("POST", "/faults", operation="create_agent", status=500)
    for npn in ("12345678", "87654321"):
        body = json.dumps({"externalId": "x" * 20_000, "npn": npn}).encode()
        remote.send("POST", "/v1/agents", body=body)
    assert "RQ-10" not in _found(remote)


def test_a_reset_keeps_what_was_found(remote: RemoteClient) -> None:
    """A suite resets between its tests; restoring a state and rewinding are the same."""
    remote.controlled.call("POST", "/snapshots", name="begin")
    remote.send("GET", "/v1/agents", query=f"jwt={remote.token}")
    remote.controlled.call("POST", "/sandbox/reset")
    remote.sign_in()
    remote.send("GET", "/v1/agents")
    assert _found(remote) == ["RQ-01", "RQ-14"]
    remote.controlled.call("POST", "/snapshots/begin/restore")
    shown = _audit(remote)
    assert shown["requests"] == 4
    assert {one["check"]: one["times"] for one in shown["checks"]}["RQ-01"] == 4


def test_many_requests_are_judged_in_parts(remote: RemoteClient) -> None:
    """The memory is bounded, the counts go on, and a mistake of the beginning stays."""
    remote.send("GET", "/v1/agents", query=f"jwt={remote.token}")
    for _ in range(600):
        remote.send("GET", "/v1/agents")
    shown = _audit(remote)
    assert shown["requests"] == 602
    assert {one["check"]: one["times"] for one in shown["checks"]}["RQ-01"] == 602
    assert _found(remote) == ["RQ-01", "RQ-14"]
    assert len(remote.controlled.tenants.default.audit.evidence().spotted) == 2


def test_no_client_waits_for_a_whole_judgement(
    remote: RemoteClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a request one rule is asked at most."""
    audit = remote.tenant.audit
    asked: list[int] = []

    class Noted(Look):
        def __init__(self, *of: Any) -> None:
            super().__init__(*of)
            asked.append(audit.requests)

    monkeypatch.setattr(catalogue, "Look", Noted)
    for _ in range(1_300):
        remote.send("GET", "/v1/agents")
    assert len(asked) == 2 * len(catalogue.PASSIVE_RULES)
    assert max(Counter(asked).values()) == 1


@pytest.mark.parametrize("number", [498, 499, 500, 515, 516, 600, 999, 1_000, 1_100])
def test_a_judgement_that_is_under_way_counts(remote: RemoteClient, number: int) -> None:
    """What is shown is about all requests, and nothing is left when it is cleared."""
    for _ in range(number):
        remote.send("GET", "/v1/agents")
    audit = remote.tenant.audit
    assert audit.evidence().ran["RQ-01"] == number + 1
    remote.send("GET", "/v1/agents")
    assert audit.evidence().ran["RQ-01"] == number + 2
    audit.clear()
    assert audit.evidence().is_empty


def test_it_is_cleared(remote: RemoteClient) -> None:
    """Nothing is known afterwards, and nothing is proven."""
    remote.send("GET", "/v1/agents", query=f"jwt={remote.token}")
    assert remote.controlled.send("DELETE", "/audit").json() == {"count": 2}
    shown = _audit(remote)
    assert (shown["requests"], shown["findings"], shown["checks"]) == (0, [], [])
    assert shown["summary"]["proven"] == 0


def test_the_evidence_goes_elsewhere(remote: RemoteClient) -> None:
    """Without a secret, in any spelling."""
    remote.send("GET", "/v1/agents", query=f"jwt={remote.token}")
    answer = remote.controlled.get("/audit/evidence")
    assert answer["evidence"]["test"] == "default"
    assert answer["evidence"]["ran"]["RQ-01"] == 2
    assert remote.token not in json.dumps(answer)


def test_each_tenant_has_its_own(remote: RemoteClient) -> None:
    """What one sandbox saw says nothing about another."""
    remote.send("GET", "/v1/agents", query=f"jwt={remote.token}")
    remote.controlled.call("POST", "/tenants", name="other")
    assert remote.controlled.get("/tenants/other/audit")["requests"] == 0


def test_many_tenants_share_the_memory(
    remote: RemoteClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer requests of each are kept; what they showed stays, and is counted once."""
    monkeypatch.setattr("mock_server.control.tenants._ALL_AUDITED", 64)
    remote.controlled.call("POST", "/tenants", name="other")
    for _ in range(99):
        remote.send("GET", "/v1/agents", query=f"jwt={remote.token}")
        assert len(remote.tenant.audit._record.seen) <= 32
    answer = _audit(remote)
    assert answer["requests"] == 100
    assert [one["check"] for one in answer["findings"]].count("RQ-01") == 1


def test_a_report_is_about_all_tenants(remote: RemoteClient) -> None:
    """Those that are deleted too: a suite gives each test a tenant, and deletes it at its end."""
    controlled = remote.controlled
    for name in ("first", "second"):
        controlled.call("POST", "/tenants", name=name)
        tenant = controlled.tenants.get(name)
        assert tenant
        other = RemoteClient(controlled, tenant)
        other.sign_in()
        other.send("GET", "/v1/agents", query=f"jwt={other.token}")
    controlled.call("POST", "/tenants", name="unused")
    controlled.send("DELETE", "/tenants/first")
    answer = controlled.get("/audit/evidence", "everywhere=true")
    assert answer["requests"] == 5
    tests = {one["test"] for row in answer["others"] for one in row["spotted"]}
    assert tests == {"first", "second"}
    assert controlled.get("/audit/evidence")["requests"] == 1
    assert controlled.send("DELETE", "/audit").json() == {"count": 3}
    assert controlled.send("DELETE", "/tenants/second/audit").json() == {"count": 2}
    assert controlled.get("/audit/evidence", "everywhere=true")["requests"] == 0


def test_a_tenant_says_nothing_of_the_others(remote: RemoteClient) -> None:
    """Two that waited for each other's lock would wait forever."""
    controlled = remote.controlled
    controlled.call("POST", "/tenants", name="other")
    answer = controlled.send("GET", "/tenants/other/audit/evidence", query="everywhere=true")
    assert answer.status == 409
    assert "without a tenant" in answer.body.decode()


def test_what_a_client_repeats_costs_no_second_search_for_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its server may have issued thousands of tokens, each with a dozen spellings."""
    searches: list[Sandbox] = []

    def no_secrets(sandbox: Sandbox) -> list[tuple[str, str]]:
        searches.append(sandbox)
        return []

    monkeypatch.setattr("pytest_turris.audit.judging.secrets_of", no_secrets)
    sandbox = Sandbox()
    audit = LiveAudit(sandbox, "a client", lambda: 5)
    token = sandbox.tokens.issue(sandbox.client).text
    for port in range(1, 41):
        query = f"jwt={token}"
        sandbox.handle(
            Request(method="GET", path="/v1/agents", query=query, client_port=port, headers=())
        )
    found = audit.evidence()
    assert [one.check for one in found.spotted].count("RQ-01") == 1
    assert found.ran["RQ-01"] == 40
    assert searches == [sandbox]
