"""Tenants: isolated sandboxes at one address."""

import datetime as dt
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from doubles.controlled import Controlled, Refused
from doubles.served_here import served

from mock_server.control import tenant, tenants
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from pytest_turris.core.options import Options
from pytest_turris.core.wire.messages import Request
from pytest_turris.process.steady_clock import steady_time


@pytest.fixture
def controlled() -> Controlled:
    """A server with an empty sandbox."""
    return Controlled()


def test_a_tenant_has_everything_of_its_own(controlled: Controlled) -> None:
    """Credentials, records, clock, faults, limits, journal, options: nothing is shared."""
    one = controlled.call("POST", "/tenants", name="one", data="small_agency")
    other = controlled.call("POST", "/tenants", options={"tokenTtl": "5m"})
    assert one["environment"]["TURRIS_CLIENT_ID"] != other["environment"]["TURRIS_CLIENT_ID"]
    path = one["controlPath"].removeprefix("/__sandbox__")
    controlled.call("POST", f"{path}/clock/advance", by="1h")
    controlled.call("POST", f"{path}/faults", operation="list_agents", status=503)
    controlled.call("POST", f"{path}/limits/exhaust")
    for apart in ("", f"/tenants/{other['name']}", "/tenants/default"):
        assert controlled.get(f"{apart}/clock")["aheadSeconds"] == 0
        assert controlled.get(f"{apart}/faults")["total"] == 0
        assert controlled.get(f"{apart}/sandbox")["records"]["agents"] == 0
        assert controlled.get(f"{apart}/limits")["items"][0]["used"] == 0
    assert controlled.get(f"{path}/sandbox")["records"]["agents"] == 3
    assert controlled.get(f"/tenants/{other['name']}/options")["options"]["tokenTtl"] == 300
    controlled.call("POST", f"{path}/agents", npn="1")
    assert controlled.call("POST", f"{path}/sandbox/reset")["records"]["agents"] == 3


def test_tenants_are_listed_shown_and_deleted(controlled: Controlled) -> None:
    """The secrets are shown once. The default one stays."""
    created = controlled.call("POST", "/tenants", name="one")
    secret = created["environment"]["TURRIS_CLIENT_SECRET"]
    shown = controlled.get("/tenants")
    assert [tenant["name"] for tenant in shown["items"]] == ["default", "one"]
    assert secret not in json.dumps(shown)
    assert controlled.get("/tenants/one")["clientId"] == created["clientId"]
    with pytest.raises(Refused, match="there is a tenant"):
        controlled.call("POST", "/tenants", name="one")
    assert controlled.send("DELETE", "/tenants/one").status == 204
    assert controlled.send("DELETE", "/tenants/one").status == 404
    assert controlled.send("DELETE", "/tenants/default").status == 409
    assert controlled.tenants.find([created["clientId"]]) is None
    for path in ("/tenants/one", "/tenants/one/clock"):
        with pytest.raises(Refused, match="404"):
            controlled.get(path)


@pytest.mark.parametrize("name", ["../x", "a/b", "", "ä", "x" * 65, ".hidden", 7, None])
def test_a_name_is_a_plain_word(controlled: Controlled, name: object) -> None:
    """It is part of a path; without one, a name is made."""
    if name is None:
        assert controlled.call("POST", "/tenants", name=None)["name"].startswith("tenant-")
        return
    with pytest.raises(Refused) as refused:
        controlled.call("POST", "/tenants", name=name)
    assert refused.value.fields == ["name"]
    assert len(controlled.tenants) == 1


def _set_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    for module in (tenant, tenants):
        monkeypatch.setattr(module, "steady_time", lambda: seconds)


def test_an_idle_tenant_is_forgotten(
    controlled: Controlled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its limit without a request; one without a limit stays, and so does one in use."""
    controlled.call("POST", "/tenants", name="idle", idleLimit="1m")
    controlled.call("POST", "/tenants", name="kept", idleLimit=None)
    controlled.call("POST", "/tenants", name="used", idleLimit="1m")
    later = steady_time() + 59
    _set_time(monkeypatch, later)
    controlled.get("/tenants/used/clock")
    used = controlled.tenants.get("used")
    assert used
    assert used.idle == dt.timedelta(0)
    _set_time(monkeypatch, later + 2)
    controlled.tenants.deliveries()
    assert controlled.tenants.names == ("default", "kept", "used")


def test_a_tenant_that_is_made_again_is_another_one(controlled: Controlled) -> None:
    """The credentials of the one that was deleted open nothing."""
    clients = []
    for _ in range(2):
        controlled.call("POST", "/tenants", name="again")
        tenant = controlled.tenants.get("again")
        assert tenant is not None
        clients.append(tenant.sandbox.client)
        controlled.send("DELETE", "/tenants/again")
    assert clients[0].client_id != clients[1].client_id
    assert clients[0].client_secret != clients[1].client_secret


def test_without_a_store_no_step_ends(controlled: Controlled) -> None:
    """What follows is part of the same one: no other thread has the sandbox in between."""
    default = controlled.tenants.default
    lock: Any = default.sandbox.lock
    with ThreadPoolExecutor(1) as other, default.step("two agents"):
        default.sandbox.agents.add()
        default.end_step()
        assert not other.submit(lock.acquire, blocking=False).result()
        default.sandbox.agents.add()
    assert len(controlled.get("/agents")["items"]) == 2


def test_there_are_not_too_many(controlled: Controlled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that forgets to delete them gets a clear refusal."""
    monkeypatch.setattr(tenants, "MOST", 1)
    controlled.call("POST", "/tenants")
    with pytest.raises(Refused, match="delete one first"):
        controlled.call("POST", "/tenants")


@pytest.fixture(scope="module")
def server() -> Iterator[StandaloneSandbox]:
    """A server on a socket."""
    with served(Options(), ServerSettings()) as running:
        yield running


def call(server: StandaloneSandbox, path: str, **headers: str) -> Any:
    """Let the server answer a request to the API."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request(method="GET", path=path, headers=fields, host="127.0.0.1", scheme="http")
    return server._answers.answer(request)


def test_a_request_belongs_to_the_tenant_of_its_credential(server: StandaloneSandbox) -> None:
    """By the token, or by the restricted access token; without a credential to the default one."""
    tenant = server.tenants.create("one", Options())
    token = tenant.sandbox.tokens.issue(tenant.sandbox.client).text
    own = server.sandbox.tokens.issue(server.sandbox.client).text
    assert call(server, "/v1/agents", authorization=f"Bearer {token}").status == 200
    assert call(server, "/v1/agents", authorization=f"Bearer {own}").status == 200
    assert call(server, "/v1/agents").status == 401
    restricted = tenant.sandbox.credentials.issue_restricted().token
    assert call(server, "/v1/agents", x_restricted_access_token=restricted).status == 200
    assert (tenant.sandbox.journal.seen, server.sandbox.journal.seen) == (2, 2)
    server.tenants.delete("one")
    assert call(server, "/v1/agents", authorization=f"Bearer {token}").status == 401
