"""A client that calls a sandbox directly, and the time at which the tests begin."""

import datetime as dt
import json as jsonlib
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response

NOW = dt.datetime(2025, 3, 17, 10, 15, 45, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
SANDBOX_HOST = "public.api.sandbox.turrisfi.com"
PRODUCTION_HOST = "public.api.live.turrisfi.com"
INVITE = "/v1/downstream-entity-associations/invite"
INVITATION: dict[str, Any] = {
    "useInviteUrl": False,
    "isNpnRequired": True,
    "downstreamEntityName": "ABC Insurance Agency",
    "firstName": "John",
    "lastName": "Doe",
    "email": "john.doe@example.com",
    "category": "agency",
}

HeaderFields = Mapping[str, str] | Sequence[tuple[str, str]]


class Place(TypedDict, total=False):
    """A request's scheme, host and client address."""

    scheme: str
    host: str
    client_ip: str


class Client:
    """Sends requests to a sandbox, with its bearer token once it has one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.handle = sandbox.handle
        self.bearer: str | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: HeaderFields | None = None,
        body: bytes = b"",
        query: str = "",
        scheme: str = "https",
        host: str = SANDBOX_HOST,
        client_ip: str = "127.0.0.1",
    ) -> Response:
        """Send one request, with the bearer token unless the request has its own."""
        fields = listed(headers)
        if self.bearer and not any(name == "authorization" for name, _ in fields):
            fields.append(("authorization", f"Bearer {self.bearer}"))
        request = Request(
            method=method,
            path=path,
            query=query,
            headers=tuple(fields),
            body=body,
            scheme=scheme,
            host=host,
            client_ip=client_ip,
        )
        return self.handle(request)

    def get(
        self, target: str, headers: HeaderFields | None = None, **place: Unpack[Place]
    ) -> Response:
        """GET a path with its query."""
        path, _, query = target.partition("?")
        return self.send("GET", path, query=query, headers=headers, **place)

    def post(
        self, path: str, json: object, headers: HeaderFields | None = None, **place: Unpack[Place]
    ) -> Response:
        """POST a JSON document."""
        fields = listed(headers)
        fields.append(("content-type", "application/json"))
        return self.send("POST", path, headers=fields, body=jsonlib.dumps(json).encode(), **place)

    def ask_for_token(
        self, client_id: str | None = None, secret: str | None = None, **place: Unpack[Place]
    ) -> Response:
        """POST credentials, by default those of the sandbox's default client."""
        client = self.sandbox.client
        document = {
            "clientId": client.client_id if client_id is None else client_id,
            "clientSecret": client.client_secret if secret is None else secret,
        }
        return self.post("/v1/auth/jwt", document, **place)

    def token(self) -> str:
        """Get a token and use it from now on."""
        self.bearer = str(self.ask_for_token().json()["data"]["accessToken"])
        return self.bearer

    def invite(self, headers: HeaderFields | None = None, **members: object) -> Response:
        """Invite the agency of the documented sample, with members replaced."""
        return self.post(INVITE, INVITATION | members, headers)


def listed(headers: HeaderFields | None) -> list[tuple[str, str]]:
    """Header fields as a list."""
    return list(headers.items() if isinstance(headers, Mapping) else headers or ())


def refusal(response: Response) -> tuple[int, str, list[str]]:
    """An error answer's status, ``errorType`` and ``errorMessage``."""
    document = response.json()
    assert document["statusCode"] == response.status
    return response.status, document["errorType"], document["errorMessage"]


def headers_of(response: Response) -> dict[str, str]:
    """An answer's header fields but ``Date``, each of which must occur once."""
    assert len(dict(response.headers)) == len(response.headers)
    return {name: value for name, value in response.headers if name != "date"}
