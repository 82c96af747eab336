"""A request for each operation that succeeds, and one for each of its refusals.

They are made from the operations' models, so that a new operation is tested by being there. Where
its input depends on more than single members, it needs an entry here.
"""

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.operations.webhooks import delivery_id
from pytest_turris.core.api.pipeline import SUNSET
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.wire.model import RequestModel

WEBHOOK_TYPE = "PRODUCER_AGREEMENT_EXECUTED"
NOBODY = "000000000000000000000000"
MULTIPART = "multipart/form-data; boundary=frontier"
PDF = b"%PDF-1.7\n%%EOF"
CSV = (
    b"policyNumber,riskStateCode,policyTransactionType,policyTransactionDate,agencyName\r\n"
    b"POL-1,CA,New,2025-01-15,Acme\r\n"
)
ADDITION: dict[str, Any] = {
    "firstName": "John",
    "lastName": "Doe",
    "email": "john.doe@example.com",
    "isNpnRequired": True,
    "category": "agency",
    "downstreamEntityNpn": "12345678",
}
INVITATION: dict[str, Any] = {
    "useInviteUrl": True,
    "isNpnRequired": True,
    "downstreamEntityName": "ABC Insurance Agency",
    "firstName": "John",
    "lastName": "Doe",
    "email": "john.doe@example.com",
    "category": "agency",
}


@dataclasses.dataclass(frozen=True)
class Sent:
    """A request as a client sends it."""

    method: str
    target: str
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""


class World:
    """A sandbox before the sunset date, with a record of each kind and a caller with all rights."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(Options(sunset="gone"))
        self.sandbox.clock.move_to(SUNSET - dt.timedelta(days=30))
        self.product = self.sandbox.products.add()
        self.association = self.sandbox.associations.add(ein="12-3456789")
        self.agent = self.sandbox.agents.add(downstream_entity_association_id=self.association.id)
        self.policy = self.sandbox.policies.add()
        self.upload = self.sandbox.uploads.enqueue([])
        self.contact = next(iter(self.sandbox.contacts))
        self.webhook = self.sandbox.outbox.register(
            "https://receiver.invalid/", WEBHOOK_TYPE, self.sandbox.clock.now()
        )
        self.delivery = self.sandbox.outbox.request_test(self.webhook, self.sandbox.clock.now())
        self.bearer = self.sandbox.tokens.issue(self.sandbox.client).text
        self.restricted = self.sandbox.credentials.issue_restricted().token

    @property
    def ids(self) -> dict[str, str]:
        """A known value for each parameter in a path."""
        subscription = self.agent.nipr_data_subscription
        assert subscription is not None
        return {
            "agentId": self.agent.id,
            "downstreamEntityAssociationId": self.association.id,
            "niprDataSubscriptionId": subscription.id,
            "productId": self.product.id,
            "contactId": self.contact.id,
            "policyId": self.policy.id,
            "uploadId": self.upload.upload_id,
            "webhookId": self.webhook.id,
            "deliveryId": delivery_id(self.delivery),
        }

    def request(self, operation: Operation) -> Sent:
        """A request that succeeds."""
        path = operation.path.format(**self.ids)
        query = self._query(operation)
        headers, body = self._body(operation)
        if operation.access in ("any", "oauth"):
            headers["authorization"] = f"Bearer {self.bearer}"
        if operation.access == "restricted":
            headers["x-restricted-access-token"] = self.restricted
        return Sent(operation.method, f"{path}?{query}" if query else path, headers, body)

    def _required(self, model: type[RequestModel]) -> dict[str, Any]:
        """The required members of a model, each with a valid value."""
        schema = model.model_json_schema(by_alias=True)
        return {
            name: self._values.get(name) or _first_allowed(schema["properties"][name])
            for name in schema.get("required", ())
        }

    @property
    def _values(self) -> dict[str, Any]:
        client = self.sandbox.client
        return self.ids | {
            "clientId": client.client_id,
            "clientSecret": client.client_secret,
            "email": self.association.email,
            "fein": "12-3456789",
            "stateCode": "CA",
            "url": "https://a.invalid/",
        }

    def _query(self, operation: Operation) -> str:
        if operation.name == "dangerously_list_surplus_lines":
            return "fein=123456789&stateCode=CA"
        members = self._required(operation.query) if operation.query else {}
        return "&".join(f"{name}={value}" for name, value in members.items())

    def _body(self, operation: Operation) -> tuple[dict[str, str], bytes]:
        if operation.form is not None:
            fields = {"category": "W9", "downstreamEntityAssociationId": self.association.id}
            file = CSV if operation.name == "upload_policy_file" else PDF
            return form({} if file is CSV else fields, file, operation.file_type)
        if operation.body is None:
            return {}, b""
        return in_json(_DOCUMENTS.get(operation.name) or self._required(operation.body))


_DOCUMENTS = {
    "invite": INVITATION,
    "dangerously_invite": INVITATION,
    "add_association": ADDITION,
    "dangerously_add": ADDITION,
}


def _first_allowed(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """A valid value for a schema without a pattern."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "array":
        return [_first_allowed(schema["items"])]
    return {"string": "87654321", "boolean": True, "integer": 1}[schema["type"]]


def in_json(document: object) -> tuple[dict[str, str], bytes]:
    """Headers and body of a JSON document."""
    return {"content-type": "application/json"}, json.dumps(document).encode()


def form(
    fields: dict[str, str], file: bytes, media_type: str, name: str = ""
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a form with a file."""
    name = name or ("policies.csv" if media_type == "text/csv" else "document.pdf")
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{text}'.encode()
             for key, text in fields.items()]  # fmt: skip
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
    parts.append(f"{head}Content-Type: {media_type}\r\n\r\n".encode() + file)
    body = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + b"--frontier--\r\n"
    return {"content-type": MULTIPART}, body


def refused(world: World, operation: Operation, status: int) -> Sent:
    """A request that is refused with that status; the world is changed so that it is."""
    return _REFUSALS[status](world, operation, world.request(operation))


def _unauthorized(world: World, operation: Operation, good: Sent) -> Sent:
    if operation.name == "get_oauth_token":
        headers, body = in_json({"clientId": world.sandbox.client.client_id, "clientSecret": "x"})
        return dataclasses.replace(good, headers=headers, body=body)
    kept = {name: text for name, text in good.headers.items() if name == "content-type"}
    return dataclasses.replace(good, headers=kept)


def _forbidden(world: World, operation: Operation, good: Sent) -> Sent:
    if operation.access == "restricted":
        token = world.sandbox.credentials.issue_restricted(allowed=["192.0.2.1"]).token
        return dataclasses.replace(good, headers={"x-restricted-access-token": token})
    powerless = world.sandbox.credentials.issue(permissions=[])
    bearer = f"Bearer {world.sandbox.tokens.issue(powerless).text}"
    return dataclasses.replace(good, headers=good.headers | {"authorization": bearer})


def _not_found(world: World, operation: Operation, good: Sent) -> Sent:
    if operation.parameters:
        nobody = dict.fromkeys(world.ids, NOBODY)
        _, _, query = good.target.partition("?")
        return dataclasses.replace(good, target=f"{operation.path.format(**nobody)}?{query}")
    if operation.name.endswith("surplus_lines"):
        return dataclasses.replace(good, target=good.target.replace("3456789", "0000000"))
    if operation.name == "upload_document":
        body = good.body.replace(world.association.id.encode(), NOBODY.encode())
        return dataclasses.replace(good, body=body)
    member = {
        "create_agent": {"downstreamEntityAssociationId": NOBODY},
        "add_association": {"parentDownstreamEntityAssociationId": NOBODY},
    }[operation.name]
    return dataclasses.replace(good, body=json.dumps(json.loads(good.body) | member).encode())


def _invalid(world: World, operation: Operation, good: Sent) -> Sent:
    if operation.name == "sync_association":
        bare = world.sandbox.associations.add(is_npn_required=False, invited=True)
        return dataclasses.replace(good, target=good.target.replace(world.association.id, bare.id))
    if operation.query is not None:
        wrong = "stateCode=ZZ&riskStateCode=ZZ&businessRole=Boss&downstreamEntityAssociationId=x"
        return dataclasses.replace(good, target=f"{good.target.partition('?')[0]}?{wrong}")
    return dataclasses.replace(good, body=b"{}")


def _gone(world: World, _: Operation, good: Sent) -> Sent:
    world.sandbox.clock.move_to(SUNSET)
    bearer = world.sandbox.tokens.issue(world.sandbox.client).text
    return dataclasses.replace(good, headers=good.headers | {"authorization": f"Bearer {bearer}"})


def _too_large(_: World, operation: Operation, good: Sent) -> Sent:
    return dataclasses.replace(good, body=b" " * (operation.largest_body + 2 * 1024 * 1024))


def _conflicting(world: World, operation: Operation, good: Sent) -> Sent:
    key = {"idempotency-key": "550e8400-e29b-41d4-a716-446655440000"}
    first = dataclasses.replace(good, headers=good.headers | key)
    assert world.sandbox.handle(as_request(first)).status == operation.status
    return dataclasses.replace(first, body=good.body.replace(b"John", b"Jane"))


def _limited(world: World, operation: Operation, good: Sent) -> Sent:
    bucket = "token" if operation.access == "public" else "write"
    world.sandbox.limits.exhaust(bucket)  # type: ignore[arg-type] # one of the two
    return good


def as_request(sent: Sent) -> Request:
    """The request in the core's form."""
    path, _, query = sent.target.partition("?")
    return Request(
        method=sent.method,
        path=path,
        query=query,
        headers=tuple(sent.headers.items()),
        body=sent.body,
        host="public.api.sandbox.turrisfi.com",
    )


_REFUSALS: dict[int, Callable[[World, Operation, Sent], Sent]] = {
    400: _invalid,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    410: _gone,
    413: _too_large,
    422: _conflicting,
    429: _limited,
}

CASES = [
    (operation, status)
    for operation in OPERATIONS
    for status in (operation.status, *operation.refusals)
]
