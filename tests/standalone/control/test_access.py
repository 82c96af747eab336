"""The rows of credentials, tokens, limits, faults, options, saved states and assertions."""

import json

import pytest
from click.testing import CliRunner
from doubles.controlled import Controlled, Refused
from pydantic.alias_generators import to_camel

from mock_server.control.rows.state.changing_options import changeable
from mock_server.shell.cli import app
from pytest_turris.core.wire.messages import Request


@pytest.fixture
def controlled() -> Controlled:
    """A server with an empty sandbox."""
    return Controlled()


def request(controlled: Controlled, **headers: str) -> int:
    """List the agents, and return the status."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    sent = Request(method="GET", path="/v1/agents", headers=fields, host="127.0.0.1", scheme="http")
    return controlled.sandbox.handle(sent).status


def test_a_client_is_issued_rotated_and_revoked(controlled: Controlled) -> None:
    """Its secret is shown when it is issued and when it is rotated, and never in a list."""
    issued = controlled.call("POST", "/credentials", permissions=["read"])
    client_id, secret = issued["clientId"], issued["clientSecret"]
    shown = controlled.get("/credentials")["items"][1]
    assert (shown["id"], shown["secret"]) == (client_id, f"***-{secret[-4:]}")
    rotated = controlled.call("POST", "/credentials/rotate", id=client_id, overlap="1h")
    assert rotated["clientSecret"] != secret
    assert rotated["previousValidUntil"]
    assert controlled.call("POST", f"/credentials/{client_id}/revoke")["revoked"]
    default = controlled.sandbox.client.client_secret
    assert controlled.call("POST", "/credentials/rotate")["clientSecret"] != default
    for path in ("/credentials/rotate", "/credentials/unknown/revoke"):
        with pytest.raises(Refused, match="404"):
            controlled.call("POST", path, **({"id": "x"} if "rotate" in path else {}))


def test_a_restricted_token_is_issued_and_revoked(controlled: Controlled) -> None:
    """For an allowlist of addresses; its masked text is its id."""
    issued = controlled.call("POST", "/credentials/restricted", allowed=["127.0.0.0/8"])
    assert request(controlled, x_restricted_access_token=issued["token"]) == 200
    assert controlled.get("/credentials")["items"][1]["allowed"] == ["127.0.0.0/8"]
    controlled.call("POST", f"/credentials/{issued['id']}/revoke")
    assert request(controlled, x_restricted_access_token=issued["token"]) == 401
    with pytest.raises(Refused, match="400"):
        controlled.call("POST", "/credentials/restricted", allowed=["nonsense"])


def test_a_token_is_issued_listed_and_revoked(controlled: Controlled) -> None:
    """A list has each token's life, and not its text."""
    issued = controlled.call("POST", "/tokens", ttl="10m")
    assert request(controlled, authorization=f"Bearer {issued['accessToken']}") == 200
    path = f"/tokens/{issued['tokenId']}"
    (shown,) = controlled.get("/tokens")["items"]
    assert (shown["state"], shown["uses"]) == ("valid", 1)
    assert issued["accessToken"] not in str(shown)
    states = []
    for by in ("6m", "4m"):
        controlled.call("POST", "/clock/advance", by=by)
        states.append(controlled.get("/tokens")["items"][0]["state"])
    assert states == ["refresh due", "expired"]
    assert controlled.call("POST", f"{path}/revoke")["state"] == "revoked"
    controlled.call("POST", "/tokens")
    assert controlled.call("POST", "/tokens/revoke-all") == {"count": 1}
    assert controlled.get("/tokens", "clientId=another")["total"] == 0
    for wrong in ("/tokens/unknown/revoke", "/tokens"):
        with pytest.raises(Refused, match="404"):
            controlled.call("POST", wrong, **({} if "unknown" in wrong else {"clientId": "x"}))


def test_a_forged_token_is_refused(controlled: Controlled) -> None:
    """Each flaw is refused; the public keys are there to verify a right one."""
    forged = controlled.call("POST", "/tokens/forge", flaw="alg_none")
    assert request(controlled, authorization=f"Bearer {forged['accessToken']}") == 401
    assert controlled.get("/tokens/keys")["keys"][0]["kty"] == "RSA"


def test_a_window_is_exhausted_and_reset(controlled: Controlled) -> None:
    """Of the default client, or of any other that exists."""
    assert controlled.get("/limits")["items"][0]["remaining"] == 10
    assert controlled.call("POST", "/limits/exhaust", leave=2)["remaining"] == 2
    near = controlled.call("POST", "/limits/to-before-reset", before="2s")
    assert near["used"] == 8
    assert controlled.call("POST", "/limits/to-window-start")["used"] == 0
    controlled.call("POST", "/limits/exhaust", bucket="write")
    windows = controlled.call("POST", "/limits/reset")["items"]
    assert [window["used"] for window in windows] == [0, 0]
    client = controlled.sandbox.client.client_id
    assert controlled.call("POST", "/limits/exhaust", credential=client)["remaining"] == 0
    for members, status in (({"credential": "x"}, 404), ({"leave": 11}, 409)):
        with pytest.raises(Refused, match=str(status)):
            controlled.call("POST", "/limits/exhaust", **members)
    with pytest.raises(Refused, match="409"):
        controlled.call("POST", "/limits/to-before-reset", bucket="write")


def test_idempotency_keys_are_listed_and_forgotten(controlled: Controlled) -> None:
    """An answer that is kept for a key."""
    key = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
    idempotency = controlled.sandbox.idempotency
    sent = Request(method="POST", path="/v1/agents", headers=(("idempotency-key", key),))
    found = idempotency.key_of(sent, "client", "create_agent")
    assert found
    idempotency.store(found, sent, controlled.send("GET", "/clock"))
    assert controlled.get("/idempotency")["items"][0]["key"] == key
    assert controlled.send("DELETE", "/idempotency").json() == {"count": 1}
    assert controlled.get("/idempotency")["total"] == 0


def test_a_fault_is_scripted_and_removed(controlled: Controlled) -> None:
    """It has a number, by which it is removed; one that never fired is a failure."""
    first = controlled.call("POST", "/faults", operation="list_agents", status=503, times=2)
    assert first["number"] == 1
    assert request(controlled) == 503
    assert controlled.get("/faults")["items"][0]["fired"] == 1
    hostile = controlled.call("POST", "/faults/hostile", name="AR-27")
    assert hostile["hostile"] == "AR-27/milliseconds"
    assert controlled.get("/faults", "state=unused")["total"] == 1
    assert controlled.send("DELETE", "/faults/1").status == 204
    assert controlled.send("DELETE", "/faults/1").status == 404
    assert controlled.send("DELETE", "/faults").json() == {"count": 1}
    assert controlled.call("POST", "/faults/hang-up") == {"count": 0}
    assert controlled.get("/faults/catalogue")["total"] > 30
    for members in ({"operation": "list_agent", "status": 503}, {"operation": "*"}):
        with pytest.raises(Refused, match="400"):
            controlled.call("POST", "/faults", **members)


def test_help_says_which_variant_a_hostile_answer_has() -> None:
    """Without one it is the first; the help names another control that lists them."""
    shown = " ".join(CliRunner().invoke(app, ["hostile", "--help"]).output.split())
    assert "AR-27 alone is its first variant, and 'faults catalogue' lists them" in shown


def test_options_change_while_it_runs(controlled: Controlled) -> None:
    """All or none; what was fixed at the start says why."""
    changed = controlled.call("PATCH", "/options", tokenTtl="2m", envelope="top_level")
    assert changed["options"]["tokenTtl"] == 120
    token = controlled.sandbox.tokens.issue(controlled.sandbox.client)
    assert (token.expires_at - token.issued_at).total_seconds() == 120
    assert controlled.get("/options")["fixed"]["seed"]
    before = controlled.get("/options")
    for members in ({"seed": 1}, {"envelop": "data"}, {"retryAfter": True, "envelope": "x"}):
        with pytest.raises(Refused, match="400"):
            controlled.call("PATCH", "/options", **members)
    assert controlled.get("/options") == before
    outbox = controlled.sandbox.outbox
    controlled.call("PATCH", "/options", webhookRetries="svix", webhookDebounce=0)
    assert len(outbox.schedule) == 7
    controlled.call("POST", "/sandbox/reset")
    assert controlled.get("/options")["options"]["tokenTtl"] == 3600
    assert len(list(outbox.schedule)) == 0


WRONG = (-1, "agents", "", {"a": 1}, [1], None, "-1", "\x00", 10**30)


@pytest.mark.parametrize("name", sorted(map(to_camel, changeable())))
def test_wrong_values_of_an_option(controlled: Controlled, name: str) -> None:
    """Each is taken, or refused with a text that is not about the server."""
    for value in WRONG:
        body = json.dumps({name: value}).encode()
        response = controlled.send("PATCH", "/options", body)
        assert response.status in (200, 400), (value, response.json())


def test_the_webhook_secret_is_masked() -> None:
    """An option that is a secret is shown by its last four characters."""
    controlled = Controlled(webhook_secret="turris_sandbox_webhook_secret")
    assert controlled.get("/options")["options"]["webhookSecret"] == "***-cret"


def test_a_state_is_saved_and_restored(controlled: Controlled) -> None:
    """By a name, which is a key and never a path."""
    controlled.call("POST", "/agents", npn="1")
    controlled.call("POST", "/snapshots", name="before")
    controlled.call("POST", "/agents", npn="2")
    assert controlled.call("POST", "/snapshots/before/restore")["records"]["agents"] == 1
    assert controlled.get("/snapshots")["items"][0]["name"] == "before"
    assert controlled.send("DELETE", "/snapshots/before").status == 204
    assert controlled.send("DELETE", "/snapshots/before").status == 404
    for name in ("../etc/passwd", "/etc/passwd", "..\\x", "a\0", ""):
        with pytest.raises(Refused, match="400"):
            controlled.call("POST", "/snapshots", name=name)
    for number in range(100):
        controlled.call("POST", "/snapshots", name=f"n{number}")
    with pytest.raises(Refused, match="remove one first"):
        controlled.call("POST", "/snapshots", name="one-more")


def test_an_assertion_holds_or_says_why_not(controlled: Controlled) -> None:
    """Those that a test in Python has."""
    path = "/assertions/token-requests"
    assert controlled.get(path, "expected=0") == {"holds": True, "message": ""}
    assert "expected 2 token requests" in controlled.get(path, "expected=2")["message"]
    assert controlled.get("/assertions/retried-safely")["holds"]


def test_a_fault_really_takes_its_time() -> None:
    """For clients in any language; the row says so again."""
    controlled = Controlled()
    shown = controlled.call("POST", "/faults", operation="list_agents", realDelay="2s")
    assert (shown["delay"], shown["realDelay"]) == (0, 2)
    [fault] = controlled.sandbox.faults
    assert fault.real_delay == 2
