"""Asks a tenant: one token request, and GET requests."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import httpx

from mock_server.drift.seen import SeenExchange, SeenExchanges
from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.resources.documents import DocumentCategory, OlderDocumentCategory
from pytest_turris.process.tls_mistakes import tls_mistake

UNKNOWN_PARAMETER = "turrisSandboxDrift"
UNKNOWN_PATH = "/v1/turris-sandbox-drift"
UNKNOWN_ID = "0" * 24
NO_ID = "turris-sandbox-drift"
UNKNOWN_FEIN = "00-0000000"

PAUSE = 0.2
"""Seconds between two requests."""

_TOO_MANY = 429
_SURPLUS_LINES = "/v1/downstream-entity-associations/licenses/surplus-lines"
_NOT_ASKED = frozenset({
    "get_sign_in_url",  # its answer is a link that signs a user in
    "dangerously_list_surplus_lines",
    "test_restricted_access_token",
    "get_upload_status",
})  # fmt: skip
_SOURCES = {
    "agentId": ("list_agents", ("agent", "_id")),
    "downstreamEntityAssociationId": ("list_associations", ("_id",)),
    "contactId": ("list_contacts", ("_id",)),
    "policyId": ("list_policies", ("_id",)),
    "productId": ("list_agents", ("authority", 0, "upstreamEntityProductId")),
    "stateCode": ("list_agents", ("authority", 0, "approvedStates", 0)),
    "webhookId": ("list_webhooks", ("_id",)),
}
NEWER_CATEGORY = next(
    one for one in get_args(DocumentCategory) if one not in get_args(OlderDocumentCategory)
)
"""A document category that only the newer copy of its page has."""


class DriftError(Exception):
    """A tenant cannot be asked; the text says why, and shows no secret."""


@dataclass(frozen=True)
class RealTenant:
    """Where to ask, and with which credentials. A ``repr`` does not show them."""

    base_url: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Tenant({self.base_url!r})"


def ask(tenant: RealTenant, transport: httpx.BaseTransport | None = None) -> SeenExchanges:
    """Return what a tenant answers to one token request and some forty GET requests.

    Nothing is written. It stops at the first 429, and pauses between requests.

    Args:
        tenant: The tenant.
        transport: What sends the requests; that of httpx by default.

    Raises:
        DriftError: It does not answer, or refuses the credentials.
    """
    __tracebackhide__ = True  # pytest --showlocals would print the credentials
    exchanges: list[SeenExchange] = []
    settings: dict[str, Any] = {"base_url": tenant.base_url, "timeout": 30}
    # No proxy of the environment gets the credentials. Without the environment, httpx would not
    # trust what SSL_CERT_FILE names either, so it is given a context that does.
    settings |= {"trust_env": False, "verify": httpx.create_ssl_context()}
    with httpx.Client(**settings, transport=transport) as client:
        try:
            token = _token(client, tenant, exchanges)
            for path, query, bearer in _questions(exchanges, token):
                time.sleep(PAUSE)
                exchanges.append(_get(client, path, query, bearer))
                if exchanges[-1].status == _TOO_MANY:
                    break
        except httpx.HTTPError as error:
            why = tls_mistake(error, tenant.base_url) or type(error).__name__
            raise DriftError(f"no answer from {tenant.base_url}: {why}") from None
    return SeenExchanges(exchanges)


def _token(client: httpx.Client, tenant: RealTenant, exchanges: list[SeenExchange]) -> str:
    __tracebackhide__ = True  # pytest --showlocals would print the credentials
    body = {"clientId": tenant.client_id, "clientSecret": tenant.client_secret}
    exchanges.append(_exchange(client.post("/v1/auth/jwt", json=body)))
    answer = exchanges[-1]
    data = answer.data if answer.succeeded else None
    token = data.get("accessToken") if isinstance(data, dict) else None
    if not isinstance(token, str):
        raise DriftError(f"the token request got {answer.status} and no access token")
    return token


def _questions(
    exchanges: list[SeenExchange], token: str
) -> Iterator[tuple[str, dict[str, str], str]]:
    """Path, query and bearer token of each request; later ones use the answers to earlier ones."""
    __tracebackhide__ = True  # pytest --showlocals would print the token
    yield "/.well-known/jwks.json", {}, ""
    yield "/v1/agents", {}, ""
    yield "/v1/agents", {}, "turris-sandbox-drift"
    yield UNKNOWN_PATH, {}, token
    yield f"/v1/agents/{UNKNOWN_ID}", {}, token
    yield f"/v1/agents/{NO_ID}", {}, token
    yield _SURPLUS_LINES, {"fein": UNKNOWN_FEIN, "stateCode": "TX"}, token
    yield "/v1/agents", {UNKNOWN_PARAMETER: "1"}, token
    for category in ("W9", NEWER_CATEGORY):
        yield "/v1/file-documents", {"category": category}, token
    plain = [one for one in OPERATIONS if _is_asked(one) and not one.parameters]
    for operation in (*plain, *(one for one in OPERATIONS if _is_asked(one) and one.parameters)):
        filled = _filled(operation, SeenExchanges(exchanges))
        if filled is not None:
            yield *filled, token


def _is_asked(operation: Operation) -> bool:
    return (
        operation.method == "GET"
        and operation.access != "public"
        and operation.name not in _NOT_ASKED
        and operation.name != "list_documents"  # asked above
    )


def _filled(operation: Operation, seen: SeenExchanges) -> tuple[str, dict[str, str]] | None:
    """The path and the query with ids of the tenant; None if one of them is not known."""
    fields = operation.query.model_fields if operation.query else {}
    required = [str(field.alias) for field in fields.values() if field.is_required()]
    values = {name: _value(name, seen) for name in (*operation.parameters, *required)}
    if not all(values.values()):
        return None
    path = operation.path
    for name in operation.parameters:
        path = path.replace(f"{{{name}}}", values[name])
    return path, {name: values[name] for name in required}


def _value(name: str, seen: SeenExchanges) -> str:
    """Return the first value of the list that has such ids; empty if there is none."""
    source, steps = _SOURCES.get(name, ("", ()))
    for exchange in seen.of(source):
        for record in exchange.data if isinstance(exchange.data, list) else ():
            found: Any = record
            for step in steps:
                try:
                    found = found[step]
                except (KeyError, IndexError, TypeError):
                    break
            else:
                if isinstance(found, str):
                    return found
    return ""


def _get(client: httpx.Client, path: str, query: dict[str, str], bearer: str) -> SeenExchange:
    __tracebackhide__ = True  # pytest --showlocals would print the token
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return _exchange(client.get(path, params=query, headers=headers))


def _exchange(response: httpx.Response) -> SeenExchange:
    return SeenExchange(
        method=response.request.method,
        url=str(response.request.url),
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=response.content,
    )
