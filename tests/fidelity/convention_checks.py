"""The checks of facts about what all operations share: credentials, errors, limits, times."""

import base64
import datetime as dt
import json
import re
from typing import Any

from fidelity.doors import Answer
from fidelity.shapes import check_member, values_at
from fidelity.specification import Fact
from fidelity.world import NOBODY, World

AGENTS = "GET /v1/agents"
KEY = "550e8400-e29b-41d4-a716-446655440000"
SECOND = dt.timedelta(seconds=1)
ENOUGH = 100
"""More reads than any limit on writes."""


def value(world: World, fact: Fact) -> None:
    """The member has this value in the answer."""
    answer = world.send(fact.request)
    data = answer.document["data"]
    assert fact.says["is"] in values_at(fact.says["member"], data), data


def token_header(world: World, fact: Fact) -> None:
    """The token's header has this member."""
    token = world.send("POST /v1/auth/jwt").document["data"]["accessToken"]
    head = token.partition(".")[0]
    decoded = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    assert decoded.get(fact.says["member"]) == fact.says["is"]


def credential(world: World, fact: Fact) -> None:
    """A request with such a credential has this status."""
    restricted = world.sandbox.credentials.issue_restricted
    bearer, name = f"Bearer {world.bearer}", "x-restricted-access-token"
    query = ""
    headers = {
        "bearer token": lambda: {"authorization": bearer},
        "restricted token": lambda: {"authorization": "", name: str(restricted().token)},
        "restricted token beside an invalid bearer token": lambda: {
            "authorization": "Bearer no",
            name: str(restricted().token),
        },
        "unknown restricted token": lambda: {"authorization": "", name: "unknown"},
        "no token": lambda: {"authorization": ""},
        "expired token": lambda: _expired(world),
        "malformed token": lambda: {"authorization": "Bearer not.a.token"},
        "restricted token from another address": lambda: _from_elsewhere(world),
        "token in the URL": lambda: {"authorization": ""},
    }[fact.says["what"]]()
    if fact.says["what"] == "token in the URL":
        query = f"access_token={world.bearer}"
    assert world.send(AGENTS, headers=headers, query=query).status == fact.says["status"]


def size(world: World, fact: Fact) -> None:
    """So many characters are accepted, and one more is not."""
    most, name = fact.says["most"], fact.says["member"]
    for length, status in ((most, 201), (most + 1, 400)):
        body = (world.body_of(fact.request) or {}) | {name: "x" * length}
        assert world.send(fact.request, body=body).status == status


def accepted(world: World, fact: Fact) -> None:
    """The query is accepted."""
    answer = world.send(fact.request, query=fact.says["query"])
    assert answer.status == 200, answer.body


def error_member(world: World, fact: Fact) -> None:
    """Each error has the member, with this type."""
    name, kind = fact.says["member"].split(" ")
    for headers, ids in (({"authorization": ""}, {}), ({}, {"agentId": NOBODY})):
        answer = world.send("GET /v1/agents/{agentId}", headers=headers, ids=ids)
        assert answer.status in (401, 404)
        check_member(answer.document, name, kind)


def message(world: World, fact: Fact) -> None:
    """The refusal has this status, type and text."""
    says, values = fact.says, {"last4": ""}
    answer = _after(world, fact, values)
    assert answer.status == says["status"], answer.body
    document = answer.document
    assert (document["statusCode"], document["errorType"]) == (says["status"], says["type"])
    if "text" in says:
        assert document["errorMessage"] == [says["text"].format(**values)]


def limit(world: World, fact: Fact) -> None:
    """So many calls are answered, and the next is refused."""
    world.sandbox.limits.reset()
    calls = fact.says["calls"]
    answers = [world.send(fact.request, keep_limits=True).status for _ in range(calls + 1)]
    assert set(answers[:-1]) == {201}
    assert answers[-1] == 429


def unlimited(world: World, fact: Fact) -> None:
    """It has no limit."""
    world.sandbox.limits.reset()
    statuses = {world.send(fact.request, keep_limits=True).status for _ in range(ENOUGH)}
    assert 429 not in statuses


def header(world: World, fact: Fact) -> None:
    """The answer has the header with this value, or not at all."""
    reset = world.sandbox.clock.now() + dt.timedelta(minutes=1)
    answer = _after(world, fact, {})
    found = answer.headers.get(fact.says["name"].lower())
    if fact.says.get("absent"):
        assert found is None
    else:
        assert found == fact.says["value"].format(reset=int(reset.timestamp()))


def duration(world: World, fact: Fact) -> None:
    """It lasts until then, and no longer."""
    lasting = dt.timedelta(seconds=fact.says["seconds"])
    held = _BEGUN[fact.says["what"]](world)
    world.sandbox.clock.advance(lasting - SECOND)
    assert held(), "over a second before"
    world.sandbox.clock.advance(SECOND)
    assert not held(), "not over"


def pattern(world: World, fact: Fact) -> None:
    """The member is of this form in each answer."""
    for request in (AGENTS, "GET /v1/policies", "GET /v1/agents/{agentId}"):
        text = world.send(request).document[fact.says["member"]]
        assert re.fullmatch(fact.says["regex"], text), text


def body_type(world: World, fact: Fact) -> None:
    """A body of this media type is read, or not."""
    headers = {"content-type": fact.says["content_type"]}
    assert world.send(fact.request, headers=headers).status == fact.says["status"]


def _expired(world: World) -> dict[str, str]:
    token = world.sandbox.tokens.issue(world.sandbox.client).text
    world.sandbox.clock.advance(hours=2)
    return {"authorization": f"Bearer {token}"}


def _from_elsewhere(world: World, values: dict[str, str] | None = None) -> dict[str, str]:
    token = str(world.sandbox.credentials.issue_restricted(allowed=["192.0.2.1"]).token)
    if values is not None:
        values["last4"] = token[-4:]
    return {"authorization": "", "x-restricted-access-token": token}


def _after(world: World, fact: Fact, values: dict[str, str]) -> Answer:
    """The answer to a request, after its set-up."""
    says, limits = fact.says, world.sandbox.limits
    headers, ids = dict(says.get("headers", {})), {}
    setup = says.get("setup", "")
    limits.reset()
    if setup == "no token":
        headers["authorization"] = ""
    elif setup == "restricted token from another address":
        headers |= _from_elsewhere(world, values)
    elif setup == "unknown id":
        ids = dict.fromkeys(world.values, NOBODY)
    elif setup == "internal error":
        world.sandbox.faults.add("list_agents", status=500)
    elif setup in ("no writes left", "one write left"):
        limits.exhaust("write", leave=int(setup == "one write left"))
    elif setup == "no token requests left":
        limits.exhaust("token")
    body: Any = says.get("body")
    if "with" in says or "without" in says:
        whole = (world.body_of(fact.request) or {}) | world.value(says.get("with", {}))
        body = {name: one for name, one in whole.items() if name != says.get("without")}
    return world.send(fact.request, headers=headers, ids=ids, body=body, keep_limits=True)


def _token_begun(world: World) -> Any:  # noqa: ANN401 - a function
    token = world.send("POST /v1/auth/jwt").document["data"]["accessToken"]
    headers = {"authorization": f"Bearer {token}"}
    return lambda: world.send(AGENTS, headers=headers).status == 200


def _key_begun(world: World) -> Any:  # noqa: ANN401 - a function
    request = "POST /v1/downstream-entity-associations/invite"

    def send() -> bytes:
        token = world.sandbox.tokens.issue(world.sandbox.client).text
        headers = {"idempotency-key": KEY, "authorization": f"Bearer {token}"}
        return world.send(request, headers=headers).body

    first = send()
    return lambda: send() == first


def _window_begun(world: World) -> Any:  # noqa: ANN401 - a function
    world.sandbox.limits.exhaust("write")
    return lambda: world.send("POST /v1/agents", keep_limits=True).status == 429


def _debounce_begun(world: World, collection: str = "agents") -> Any:  # noqa: ANN401 - a function
    world.listen()
    npn = "22" if collection == "agents" else "11"
    (held, *_) = world.sandbox.licenses.where(npn=npn)
    world.sandbox.licenses.update(held, status="inactive")
    return lambda: not world.drained()


def _agencies_begun(world: World) -> Any:  # noqa: ANN401 - a function
    return _debounce_begun(world, "associations")


def _continuous_begun(world: World) -> Any:  # noqa: ANN401 - a function
    """A change every half minute, as long as the clock is moved."""
    world.listen()
    box, start = world.sandbox, world.sandbox.clock.now()
    (held, *_) = box.licenses.where(npn="22")
    box.licenses.update(held, status="inactive")
    heard: list[Any] = []

    def quiet() -> bool:
        end = box.clock.now()
        changed = start if not world.changed_at else world.changed_at
        while changed + dt.timedelta(seconds=30) <= end:
            changed += dt.timedelta(seconds=30)
            box.clock.move_to(changed)
            box.licenses.update(held, status="active" if held.status == "inactive" else "inactive")
            heard.extend(world.drained())
        world.changed_at = changed
        box.clock.move_to(end)
        heard.extend(world.drained())
        return not heard

    return quiet


_BEGUN = {
    "access token": _token_begun,
    "idempotency key": _key_begun,
    "rate window": _window_begun,
    "debounce": _debounce_begun,
    "debounce of agencies": _agencies_begun,
    "longest debounce": _continuous_begun,
}

CHECKS = {
    "value": value,
    "token_header": token_header,
    "credential": credential,
    "size": size,
    "accepted": accepted,
    "error_member": error_member,
    "message": message,
    "limit": limit,
    "unlimited": unlimited,
    "header": header,
    "duration": duration,
    "pattern": pattern,
    "body_type": body_type,
}
"""The check of each kind of fact."""
