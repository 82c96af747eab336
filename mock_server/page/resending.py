"""A request of the journal once more: as a request to the sandbox, and as a curl command.

The journal masks secrets. For the request, those that the sandbox still knows are put back; the
command takes them from the environment.
"""

import json
import shlex
from typing import Any

from mock_server.control.tenant import Tenant
from mock_server.control.wire.errors import ControlError
from pytest_turris.core.access.authentication import RESTRICTED_HEADER
from pytest_turris.core.journal.bounds import LEFT_OUT, LONGEST_TARGET
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import SHOWN
from pytest_turris.core.wire.messages import Request

AUTHORIZATION = "authorization"
_OF_THE_CONNECTION = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "expect"}
)
_OF_CLIENTS = frozenset({"user-agent", "accept", "cookie", AUTHORIZATION, RESTRICTED_HEADER})


def exchange_of(sandbox: Sandbox, number: int) -> Exchange:
    """The exchange of a number.

    Raises:
        ControlError: It is not in the journal.
    """
    found = sandbox.journal.since(number - 1, 1)
    if not found or found[0].number != number:
        raise ControlError(404, f"There is no request {number}; older ones are dropped.")
    return found[0]


def whole_body(exchange: Exchange) -> str:
    """The body of the request.

    Raises:
        ControlError: The journal has the beginning of the request only.
    """
    if LEFT_OUT in exchange.request_headers or len(exchange.target) > LONGEST_TARGET:
        raise ControlError(409, "The journal has the beginning of this request's head only.")
    if len(exchange.request_body) >= SHOWN:
        raise ControlError(409, "The journal has the first 2 KiB of this body only.")
    return exchange.request_body


def own_headers(exchange: Exchange) -> dict[str, str]:
    """Return the header fields that are specific to this request."""
    left_out = _OF_THE_CONNECTION | _OF_CLIENTS
    return {k: v for k, v in exchange.request_headers.items() if k not in left_out}


def token_body(exchange: Exchange) -> dict[str, Any] | None:
    """The members of a token request's body; None for any other request."""
    if not exchange.is_token_request:
        return None
    try:
        found = json.loads(exchange.request_body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "clientSecret" in found else None


def request_again(tenant: Tenant, exchange: Exchange) -> Request:
    """The request, with the secrets that the sandbox still knows.

    Raises:
        ControlError: The journal does not have all of it.
    """
    sandbox, body = tenant.sandbox, whole_body(exchange)
    headers = dict(exchange.request_headers)
    token = next((one for one in sandbox.tokens if one.jti == exchange.token_id), None)
    if token and not exchange.is_token_request:
        headers[AUTHORIZATION] = f"Bearer {token.text}"
    if RESTRICTED_HEADER in headers:
        known = {one.name: str(one.token) for one in sandbox.credentials.restricted}
        headers[RESTRICTED_HEADER] = known.get(str(exchange.credential), headers[RESTRICTED_HEADER])
    members = token_body(exchange)
    client = sandbox.credentials.client(str(members.get("clientId"))) if members else None
    if members and client and exchange.credential:
        body = json.dumps(members | {"clientSecret": str(client.client_secret)})
    content = body.encode()
    path, _, query = exchange.target.partition("?")
    headers |= {"content-length": str(len(content))} if content else {}
    scheme, _, host = sandbox.base_url.partition("://")
    return Request(
        method=exchange.method,
        path=path,
        query=query,
        headers=tuple(headers.items()),
        body=content,
        scheme=scheme,
        host=host,
    )


def curl(tenant: Tenant, exchange: Exchange) -> str:
    """A command for a shell that has the client's environment variables.

    Raises:
        ControlError: The journal does not have all of the body.
    """
    body, headers = whole_body(exchange), own_headers(exchange)
    certificate = " --cacert $SSL_CERT_FILE" if "SSL_CERT_FILE" in tenant.environment else ""
    url = shlex.quote(f"{tenant.sandbox.base_url}{exchange.target}")
    parts = [f"curl{certificate} --path-as-is -X {shlex.quote(exchange.method)} {url}"]
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    before = ""
    if AUTHORIZATION in exchange.request_headers:
        parts.append('-H "authorization: Bearer $TOKEN"')
        before = _token_line(tenant.sandbox.base_url, certificate)
    if RESTRICTED_HEADER in exchange.request_headers:
        parts.append(f'-H "{RESTRICTED_HEADER}: $TURRIS_RESTRICTED_TOKEN"')
    if token_body(exchange):
        parts.append(f"-d {_CREDENTIALS}")
    elif body:
        parts.append(f"--data-raw {shlex.quote(body)}")
    return before + " \\\n  ".join(parts) + "\n"


_CREDENTIALS = (
    '\'{"clientId":"\'"$TURRIS_CLIENT_ID"\'","clientSecret":"\'"$TURRIS_CLIENT_SECRET"\'"}\''
)


def _token_line(base_url: str, certificate: str) -> str:
    return (
        f"TOKEN=$(curl -s{certificate} {base_url}/v1/auth/jwt "
        f"-H 'Content-Type: application/json' -d {_CREDENTIALS} "
        '| sed -E \'s/.*"accessToken":"([^"]+)".*/\\1/\')\n'
    )
