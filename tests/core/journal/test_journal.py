"""The journal: what it keeps, how it reads, and that it shows no secret."""

import dataclasses
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from doubles.sandbox_client import NOW, Client

from pytest_turris.core.journal.journal import Journal
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.worlds import World

if TYPE_CHECKING:
    from pytest_turris.core.journal.exchange import Exchange

CANARY = "canary-0123456789-wxyz"
AGENTS = "/v1/agents"


def everything_shown(sandbox: Sandbox) -> str:
    """All texts that a sandbox shows: reprs, lines, snapshot, failures."""
    rows = [[str(e), repr(e), str(dataclasses.asdict(e))] for e in sandbox.journal]
    state = json.dumps(sandbox.snapshot(), ensure_ascii=False)
    world = World.of(sandbox).to_json()
    return f"{rows} {state} {world} {sandbox!r} {sandbox.strict_failures()}"


def test_keeps_every_exchange_in_order(caller: Client) -> None:
    """Successes and refusals, numbered from 1."""
    caller.get(AGENTS)
    caller.get("/nowhere")
    seen = [(e.number, e.method, e.target, e.status, e.operation) for e in caller.sandbox.journal]
    assert seen == [
        (1, "POST", "/v1/auth/jwt", 201, "get_oauth_token"),
        (2, "GET", "/v1/agents", 200, "list_agents"),
        (3, "GET", "/nowhere", 404, None),
    ]
    assert [e.is_token_request for e in caller.sandbox.journal] == [True, False, False]


def test_tells_who_called(caller: Client) -> None:
    """It has the credential's name, the token's last four characters, the time and the host."""
    caller.get(f"{AGENTS}?npn=5")
    seen = caller.sandbox.journal[-1]
    assert (seen.at, seen.environment) == (NOW, "sandbox")
    assert seen.credential == caller.sandbox.client.client_id
    assert seen.token == f"***-{caller.bearer[-4:]}"  # type: ignore[index] # it has one
    assert (seen.target, seen.path) == (f"{AGENTS}?npn=5", AGENTS)


def test_a_line_for_humans(caller: Client) -> None:
    """Time, request, status, operation, caller; then reason and notes."""
    caller.post(AGENTS, {"npn": 5, "shoeSize": 44})
    token = caller.sandbox.journal[-1].token
    assert str(caller.sandbox.journal[-1]) == (
        "10:15:45.000Z  POST /v1/agents -> 400  [create_agent]  "
        f"as {caller.sandbox.client.client_id}, token {token}\n"
        "    npn must be a string\n"
        "    ignored unknown member: 'shoeSize'"
    )


def test_a_line_without_an_operation(client: Client) -> None:
    """An unknown path has no operation and no caller."""
    client.get("/q")
    assert str(client.sandbox.journal[-1]).startswith(
        "10:15:45.000Z  GET /q -> 404  [no such operation]\n    no documented operation"
    )


@pytest.mark.parametrize("secret", [CANARY, CANARY.replace("canary", "can%61ry")])
def test_a_secret_in_a_path_is_not_in_the_reason(client: Client, secret: str) -> None:
    """The method is refused with the path as the target shows it."""
    client.send("POST", f"{AGENTS}/{secret}")
    seen = client.sandbox.journal[-1]
    assert seen.target == f"{AGENTS}/***-wxyz"
    assert seen.reason == f"{AGENTS}/***-wxyz is known with GET, not with POST"
    assert secret not in everything_shown(client.sandbox)


def test_refused_is_4xx(caller: Client) -> None:
    """Neither a success nor a scripted 503 is a refusal."""
    caller.sandbox.faults.add("*", status=503)
    for path in (AGENTS, AGENTS, "/nowhere"):
        caller.get(path)
    assert [exchange.refused for exchange in caller.sandbox.journal][1:] == [False, False, True]


def test_is_bounded() -> None:
    """Option ``journal_limit``: the last exchanges are kept, the others only counted."""
    client = Client(Sandbox(Options(journal_limit=3)))
    for number in range(10):
        client.get(f"/nowhere/{number}")
    journal = client.sandbox.journal
    assert [exchange.path for exchange in journal] == ["/nowhere/7", "/nowhere/8", "/nowhere/9"]
    assert (len(journal), journal.seen, journal.dropped) == (3, 10, 7)


def test_a_journal_may_keep_nothing() -> None:
    """A limit of 0 only counts."""
    client = Client(Sandbox(Options(journal_limit=0)))
    client.get("/nowhere")
    assert (len(client.sandbox.journal), client.sandbox.journal.dropped) == (0, 1)
    assert client.sandbox.journal.last_line == ""


@pytest.mark.parametrize("path", [AGENTS, f"{AGENTS}?npn=1&accessToken=eyJhbGciOi.secret.part"])
def test_last_line_is_that_of_the_exchange(caller: Client, path: str) -> None:
    """The newest exchange reads the same before and after it is redacted."""
    caller.get(path)
    line = caller.sandbox.journal.last_line
    assert line == str(caller.sandbox.journal[-1]) == caller.sandbox.journal.last_line
    assert "-> 200" in line
    assert "secret" not in line


def test_numbers_go_on_after_clear(caller: Client) -> None:
    """Clearing drops the exchanges, not the count."""
    caller.sandbox.journal.clear()
    assert len(caller.sandbox.journal) == 0
    caller.get(AGENTS)
    assert [exchange.number for exchange in caller.sandbox.journal] == [2]


def test_tells_what_came_since(caller: Client) -> None:
    """``since`` gives the exchanges after a number."""
    caller.get(AGENTS)
    caller.get(AGENTS)
    assert [exchange.number for exchange in caller.sandbox.journal.since(1)] == [2, 3]
    assert caller.sandbox.journal.since(3) == ()
    assert [exchange.number for exchange in caller.sandbox.journal.since(1, 1)] == [2]


def test_shows_only_the_beginning_of_long_things(client: Client) -> None:
    """Method, target, headers and bodies are cut, so that the journal stays small."""
    headers = [(f"x-{n}", "v" * 100_000) for n in range(500)]
    client.send("M" * 9_000, "/" + "p" * 100_000, headers=headers, body=b"b" * 100_000)
    seen = client.sandbox.journal[-1]
    assert seen.method == "M" * 32
    assert seen.target == "/" + "p" * 2_047 + "... (100,001 characters)"
    kept = seen.request_headers
    assert kept.pop("...") == "7 of 500 header lines are kept (50,002,390 bytes)"
    assert {len(value) for value in kept.values()} == {2_048}
    assert seen.request_body == "b" * 2_048 + "... (100,000 bytes)"


def test_the_token_that_was_issued_is_masked(caller: Client) -> None:
    """Neither the answer with the token nor the requests with it are kept whole."""
    caller.get(AGENTS)
    for exchange in caller.sandbox.journal:
        assert str(caller.bearer) not in str(dataclasses.asdict(exchange))
        assert str(caller.sandbox.client.client_secret) not in str(dataclasses.asdict(exchange))
    assert f'"accessToken":"***-{str(caller.bearer)[-4:]}"' in (
        caller.sandbox.journal[0].response_body
    )


def test_the_url_of_an_invitation_is_masked(caller: Client) -> None:
    """Anyone with the sign-in URL may onboard, so it is masked."""
    url = caller.invite().json()["data"]["url"]
    assert url not in str(dataclasses.asdict(caller.sandbox.journal[-1]))


CANARIES: dict[str, dict[str, Any]] = {
    "bearer": {"headers": {"authorization": f"Bearer {CANARY}"}},
    "bearer without scheme": {"headers": {"authorization": CANARY}},
    "secret before a word": {"headers": {"authorization": f"{CANARY} word"}},
    "basic": {"headers": {"authorization": f"Basic {CANARY}"}},
    "doubled": {"headers": [("authorization", f"Bearer {CANARY}")] * 2},
    "restricted": {"headers": {"x-restricted-access-token": CANARY}},
    "cookie": {"headers": {"cookie": f"session={CANARY}; theme=dark"}},
    "api key": {"headers": {"x-api-key": CANARY}},
    "header in capitals": {"headers": {"Authorization": f"Bearer {CANARY}"}},
    "query": {"query": f"access_token={CANARY}"},
    "query, later": {"query": f"npn=5&client_secret={CANARY}&a=b"},
    "query, doubled": {"query": f"token={CANARY}&token={CANARY}"},
    "query, bearer": {"query": f"bearer={CANARY}"},
}


@pytest.mark.parametrize("facts", CANARIES.values(), ids=CANARIES.keys())
@pytest.mark.parametrize("path", [AGENTS, "/nowhere", "/v1/auth/test-oauth"])
def test_a_foreign_credential_is_never_kept(
    client: Client, path: str, facts: dict[str, Any]
) -> None:
    """A foreign credential, wherever it is sent, is in no line, repr, snapshot or answer."""
    response = client.send("GET", path, **facts)
    assert response.status in (401, 404)
    assert CANARY.encode() not in response.body
    assert CANARY not in everything_shown(client.sandbox)


BODIES = {
    "secret": f'{{"clientId":"m2m","clientSecret":"{CANARY}"}}',
    "snake case": f'{{"client_id":"m2m","client_secret":"{CANARY}"}}',
    "cut off": f'{{"clientId":"m2m","clientSecret":"{CANARY}',
    "cut in an escape": f'{{"clientId":"m2m","clientSecret":"{CANARY}\\',
    "a list": f'{{"clientId":"m2m","clientSecret":["{CANARY}"]}}',
    "an object": f'{{"clientId":"m2m","clientSecret":{{"value":"{CANARY}"}}}}',
    "escaped name": f'{{"clientId":"m2m","client\\u0053ecret":"{CANARY}"}}',
    "unknown member": f'{{"clientId":"m2m","apiKey":"{CANARY}","refresh_token":"{CANARY}"}}',
    "nested": f'{{"oauth":{{"clientSecret":"{CANARY}"}}}}',
    "encoded twice": json.dumps(json.dumps({"clientId": "m2m", "clientSecret": CANARY})),
    "in a string": json.dumps({"body": json.dumps({"clientSecret": CANARY})}),
    "a form with brackets": f"a[client_secret][]={CANARY}",
    "a key": json.dumps({"signingKey": CANARY, "key": CANARY, "tokens": [CANARY]}),
    "YAML": f"clientSecret: |\n  {CANARY}\n",
    "XML": f"<clientSecret><![CDATA[{CANARY}]]></clientSecret>",
    "a part": f"--B\r\nContent-Disposition: form-data; name=token\r\n\r\na {CANARY}\r\n--B--\r\n",
    "a form": f"client_id=m2m&client_secret={CANARY}",
    "a list of documents": f'[{{"clientSecret":"{CANARY}"}}]',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("path", ["/v1/auth/jwt", AGENTS, "/nowhere"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", ""])
def test_a_foreign_secret_in_a_body_is_never_kept(
    client: Client, path: str, body: str, kind: str
) -> None:
    """A foreign secret in a body of any form is in no text and no answer."""
    response = client.send("POST", path, headers={"content-type": kind}, body=body.encode())
    assert 400 <= response.status < 500
    assert CANARY.encode() not in response.body
    assert CANARY not in everything_shown(client.sandbox)


def test_ones_own_secrets_are_in_snapshots_only(caller: Client) -> None:
    """Lines and reprs mask what the sandbox issued; a snapshot contains it, to be exact."""
    secret = str(caller.sandbox.client.client_secret)
    caller.get(f"{AGENTS}?token={secret}")
    caller.send("POST", AGENTS, headers={"content-type": "text/plain"}, body=secret.encode())
    shown = " ".join(f"{e} {dataclasses.asdict(e)}" for e in caller.sandbox.journal)
    assert secret not in shown + repr(caller.sandbox)
    assert secret in json.dumps(caller.sandbox.snapshot())


def test_comes_back_from_its_snapshot(caller: Client) -> None:
    """Every field of every exchange is the same after a trip through JSON."""
    caller.get("/nowhere?a=b")
    journal = caller.sandbox.journal
    again = Journal(limit=10)
    again.restore(json.loads(json.dumps(journal.snapshot())))
    exchanges: list[Exchange] = list(again)
    assert exchanges == list(journal)
    assert again.seen == journal.seen


def test_what_repeats_is_kept_once(caller: Client) -> None:
    """A client's headers and bearer token would take most of the memory of a server's journals."""
    caller.get(AGENTS)
    calls = 200
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(calls):
            caller.get(AGENTS)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / calls < 1_400
    *_, one, last = caller.sandbox.journal
    assert one.request_headers == last.request_headers
