"""The checks of facts about one operation: its status, inputs, refusals and answer."""

from typing import Any

from fidelity.doors import Answer
from fidelity.files import as_csv
from fidelity.shapes import check_member, check_order
from fidelity.specification import Fact
from fidelity.world import NOBODY, World
from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.routes import operations_at

ERROR = ["statusCode", "requestId", "errorType", "errorMessage", "timestamp"]
_WRONG: dict[str, tuple[Any, tuple[str, ...]]] = {
    "text": (5, ("must be a string", "must be one of")),
    "flag": ("x", ("must be a boolean",)),
    "object": ("x", ("must be an object",)),
}
_PAIRS = {
    "npn": ("22", "99"),
    "producerCode": ("P-1", "P-9"),
    "downstreamEntityNpn": ("11", "99"),
    "emailDomain": ("acme.example", "nobody.example"),
    "stateCode": ("FL", "NY"),
    "status": ("active", "expired"),
    "category": ("W9", "Cyber"),
    "businessRole": ("Finance Manager", "Accounts Payable"),
    "policyNumber": ("POL-9", "POL-0"),
    "currentStatus": ("active", "bound"),
    "riskStateCode": ("TX", "CA"),
}


def status(world: World, fact: Fact) -> None:
    """A request with what is required succeeds with this status."""
    assert world.send(fact.request).status == fact.says["status"]


def needs_token(world: World, fact: Fact) -> None:
    """Without a token it is refused."""
    headers = {"authorization": ""}
    assert world.send(fact.request, headers=headers).status == fact.says["status"]


def operation_id(world: World, fact: Fact) -> None:
    """The description names the operation."""
    assert _described(world, fact)["operationId"] == fact.says["id"]


def tag(world: World, fact: Fact) -> None:
    """The description puts it under this tag."""
    assert _described(world, fact)["tags"] == [fact.says["tag"]]


def path_parameter(world: World, fact: Fact) -> None:
    """The path takes an id, and an id of nothing is not found."""
    name = fact.says["name"]
    assert f"{{{name}}}" in fact.request
    assert world.send(fact.request).status in (200, 201)
    assert world.send(fact.request, ids={name: NOBODY}).status == 404


def required(world: World, fact: Fact) -> None:
    """Without it the request is a 400 that names it."""
    answer = _send_with(world, fact, without=fact.says["name"])
    assert answer.status == 400, answer.status
    assert f"'{fact.says['name']}'" in str(answer.document["errorMessage"]), answer.body


def optional(world: World, fact: Fact) -> None:
    """It can be left out, and is known: unknown ones are refused in this sandbox."""
    name = fact.says["name"]
    example = world.value(fact.says["example"])
    for answer in (_send_with(world, fact, without=name), _send_with(world, fact, {name: example})):
        # An example's id need not exist.
        assert answer.status in (200, 201, 404), answer.body


def type_of(world: World, fact: Fact) -> None:
    """A value of another type is a 400 with class-validator's words."""
    wrong, words = _WRONG[fact.says["type"]]
    body = dict(world.body_of(fact.request) or {}) | {fact.says["name"]: wrong}
    answer = world.send(fact.request, body=body)
    assert answer.status == 400
    (message,) = answer.document["errorMessage"]
    assert message.startswith(fact.says["name"]), message
    assert any(word in message for word in words), message


def excludes(world: World, fact: Fact) -> None:
    """Each can be given, but not both."""
    first, second = fact.says["pair"]
    for alone in (first, second):
        assert world.send(fact.request, query=alone).status == 200
    answer = world.send(fact.request, query=f"{first}&{second}")
    assert answer.status == fact.says["status"]
    assert "mutually exclusive" in str(answer.document["errorMessage"])


def needs_both(world: World, fact: Fact) -> None:
    """Both can be given, and neither alone."""
    first, second = fact.says["pair"]
    assert world.send(fact.request, query=f"{first}&{second}").status == fact.says["status"]
    for alone in (first, second):
        assert world.send(fact.request, query=alone).status == 400


def filters(world: World, fact: Fact) -> None:
    """What matches is in the answer, and what does not is not."""
    matching, other = _pair(world, fact.says["name"])
    answers = [
        world.send(fact.request, query={**world.query_of(fact.request), **asked})
        for asked in (matching, other)
    ]
    assert answers[0].status == 200, answers[0].body
    if "{agentId}" in fact.request and answers[1].status == 404:
        return
    found, others = (list(map(str, answer.document["data"])) for answer in answers)
    assert found
    assert not set(found) & set(others)


def enum(world: World, fact: Fact) -> None:
    """The value is accepted."""
    answer = _send_with(world, fact, {fact.says["name"]: fact.says["value"]})
    assert answer.status in (200, 201), answer.body


def other_value(world: World, fact: Fact) -> None:
    """Any other value is refused."""
    answer = _send_with(world, fact, {fact.says["name"]: fact.says["value"]})
    assert answer.status == fact.says["status"], answer.body


def error(world: World, fact: Fact) -> None:
    """The operation has this refusal, with the members of an error in their order."""
    wanted = fact.says["status"]
    if wanted == 401:
        answer = world.send(fact.request, headers={"authorization": ""})
    elif wanted == 404:
        answer = world.send(fact.request, ids=dict.fromkeys(world.values, NOBODY))
    elif "policies" in fact.request:
        answer = world.send(fact.request, file=as_csv([{"shoeSize": "44"}]))
    else:
        answer = world.send(fact.request, body={}, file=b"no PDF")
    assert answer.status == wanted, answer.body
    assert list(answer.document) == ERROR


def empty(world: World, fact: Fact) -> None:
    """The success has no content."""
    assert len(world.send(fact.request).body) == fact.says["bytes"]


def envelope(world: World, fact: Fact) -> None:
    """The success has these members, in this order."""
    assert list(world.send(fact.request).document) == fact.says["order"]


def member(world: World, fact: Fact) -> None:
    """The answer has the member, with this type."""
    check_member(_data(world, fact), fact.says["path"], fact.says["type"])


def order(world: World, fact: Fact) -> None:
    """The members of an object in the answer stand in this order."""
    says = fact.says
    check_order(_data(world, fact), says["path"], says["order"], whole=says["whole"])


def replayed(world: World, fact: Fact) -> None:
    """A repeated key gets the stored answer."""
    body = world.body_of(fact.request)
    headers = {fact.says["header"]: "550e8400-e29b-41d4-a716-446655440000"}
    first, second = (world.send(fact.request, body=body, headers=headers) for _ in range(2))
    assert (first.status, second.body) == (201, first.body)


def condition(world: World, fact: Fact) -> None:
    """With the other members it is required."""
    name = fact.says["member"]
    body = {key: value for key, value in _bare_addition(world).items() if key != name}
    body |= fact.says["needed_with"]
    answer = world.send(fact.request, body=body)
    assert answer.status == 400, answer.body
    assert name in str(answer.document["errorMessage"])
    assert world.send(fact.request, body=body | {name: "West"}).status == 201


def _bare_addition(world: World) -> dict[str, Any]:
    body = world.body_of("POST /v1/downstream-entity-associations/dangerously-add") or {}
    needed = ("firstName", "lastName", "email", "category")
    return {name: body[name] for name in needed}


def _data(world: World, fact: Fact) -> Any:  # noqa: ANN401 - any JSON value
    """The data of a success, asked for once."""
    if fact.request not in world.answers:
        body = world.body_of(fact.request)
        if fact.request == "POST /v1/agents":
            body = {"npn": world.agent.npn}  # who is known, with all members
        world.answers[fact.request] = world.send(fact.request, body=body).document
    found = world.answers[fact.request]
    return found.get("data", found)


def _described(world: World, fact: Fact) -> Any:  # noqa: ANN401 - any JSON value
    method, _, path = fact.request.partition(" ")
    options = world.sandbox.options
    whole = document(operations_at(options.webhooks_path), options)
    return whole["paths"][path][method.lower()]


def _send_with(
    world: World,
    fact: Fact,
    more: dict[str, Any] | None = None,
    *,
    without: str = "",
) -> Answer:
    """The request that succeeds, with something more, or without something."""
    place, more = fact.says["place"], more or {}
    if place == "query":
        query = world.query_of(fact.request) | more
        return world.send(fact.request, query={k: v for k, v in query.items() if k != without})
    if place == "form":
        fields = (world.form_of(fact.request) or {}) | more
        fields = {name: value for name, value in fields.items() if name != without}
        headers = {"x-without-file": "yes"} if without == "file" else {}
        return world.send(fact.request, fields=fields, headers=headers)
    body = (world.body_of(fact.request) or {}) | more
    if without == "downstreamEntityNpn":
        body |= {"isNpnRequired": False, "downstreamEntityName": "A"}
    return world.send(fact.request, body={k: v for k, v in body.items() if k != without})


def _pair(world: World, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """A query that matches the arranged record, and one that does not."""
    if name == "downstreamEntityAssociationId":
        return {name: world.agency.id}, {name: world.other_agency.id}
    if name == "email":
        return {name: world.agency.email}, {name: "nobody@acme.example"}
    if name == "licenseNumber":
        state = {"stateCode": "CA"}
        return {name: "L-1"} | state, {name: "L-2"} | state
    if name in ("subCategory", "isDeleted"):
        words = ("template", "instance") if name == "subCategory" else ("true", "false")
        return {name: words[0]}, {name: words[1]}
    matching, other = _PAIRS.get(name, ("1", "2"))
    return {name: matching}, {name: other}


CHECKS = {
    "status": status,
    "needs token": needs_token,
    "operation id": operation_id,
    "tag": tag,
    "path parameter": path_parameter,
    "required": required,
    "optional": optional,
    "type": type_of,
    "excludes": excludes,
    "needs both": needs_both,
    "filter": filters,
    "enum": enum,
    "other value": other_value,
    "error": error,
    "empty": empty,
    "envelope": envelope,
    "member": member,
    "order": order,
    "replayed": replayed,
    "condition": condition,
}
"""The check of each kind of fact."""
