"""Published OAuth clients with a thin adapter to the token endpoint, set up as well as they can be.

The adapter turns the form of RFC 6749 into the JSON of Turris and back; caching, expiry, locking
and errors are the library's own.
"""

import json
import os
from collections.abc import Callable
from typing import Any

import httpx
import httpx_auth
import requests
from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.httpx_client.oauth2_client import httpx2 as authlibs_httpx
from oauthlib.oauth2 import BackendApplicationClient, TokenExpiredError
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth2Session

BUFFER = 300
PATH = "/v1/auth/jwt"
Calls = Callable[[], object]


def credentials() -> dict[str, str]:
    """The credentials of the environment."""
    names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
    return {key: os.environ[name] for key, name in names.items()}


def base_url() -> str:
    """The base URL of the environment."""
    return os.environ["TURRIS_BASE_URL"]


def standard(body: bytes) -> dict[str, Any]:
    """A token answer in the words of RFC 6749."""
    data = json.loads(body).get("data", {})
    names = {"accessToken": "access_token", "expiresIn": "expires_in", "tokenType": "token_type"}
    return {names[key]: value for key, value in data.items() if key in names}


def transport(library: Any) -> Any:
    """A transport of httpx, or of its successor, that translates the token request."""

    class TurrisTransport(library.HTTPTransport):  # type: ignore[misc] # either library
        """JSON in place of the form, and back."""

        def handle_request(self, request: Any) -> Any:
            """Translate the token request, pass on all others."""
            if request.url.path != PATH:
                return super().handle_request(request)
            asked = library.Request("POST", request.url, json=credentials())
            answer = super().handle_request(asked)
            body = answer.read()
            if answer.status_code != 201:
                return library.Response(answer.status_code, content=body, request=request)
            return library.Response(200, json=standard(body), request=request)

    return TurrisTransport()


class TurrisAdapter(HTTPAdapter):
    """The same for clients on requests."""

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """JSON in place of the form, and back."""
        if not (request.url or "").endswith(PATH):
            return super().send(request, *args, **kwargs)
        request.prepare_body(None, None, json=credentials())
        request.headers["content-type"] = "application/json"
        request.headers.pop("authorization", None)
        answer = super().send(request, *args, **kwargs)
        if answer.status_code == 201:
            answer._content = json.dumps(standard(answer.content)).encode()
        return answer


def with_authlib() -> Calls:
    """The ``OAuth2Client`` of authlib, on httpx2 if there is one, its leeway set to the buffer."""
    found = credentials()
    client = OAuth2Client(
        found["clientId"], found["clientSecret"], token_endpoint=base_url() + PATH,
        grant_type="client_credentials", leeway=BUFFER, transport=transport(authlibs_httpx),
    )  # fmt: skip

    def call() -> object:
        if client.token is None:
            client.fetch_token()
        return client.get(f"{base_url()}/v1/agents").raise_for_status().json()

    return call


def with_httpx_auth() -> Calls:
    """httpx-auth's ``OAuth2ClientCredentials``, with its early expiry set to the buffer."""
    found = credentials()
    httpx_auth.OAuth2.token_cache.clear()
    auth = httpx_auth.OAuth2ClientCredentials(
        base_url() + PATH, found["clientId"], found["clientSecret"],
        early_expiry=BUFFER, client=httpx.Client(transport=transport(httpx)),
    )  # fmt: skip
    client = httpx.Client(auth=auth, transport=transport(httpx))
    return lambda: client.get(f"{base_url()}/v1/agents").raise_for_status().json()


def with_requests_oauthlib() -> Calls:
    """requests-oauthlib's session; it raises when a token has expired, and is asked again."""
    found = credentials()
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback
    session = OAuth2Session(client=BackendApplicationClient(found["clientId"]))
    session.mount("http://", TurrisAdapter())

    def fetch() -> None:
        session.fetch_token(base_url() + PATH, client_secret=found["clientSecret"])

    def call() -> object:
        if not session.token:
            fetch()
        try:
            answer = session.get(f"{base_url()}/v1/agents")
        except TokenExpiredError:
            fetch()
            answer = session.get(f"{base_url()}/v1/agents")
        answer.raise_for_status()
        return answer.json()

    return call


def with_oauthlib() -> Calls:
    """The ``BackendApplicationClient`` of oauthlib under httpx: it keeps and checks the token."""
    client = BackendApplicationClient(credentials()["clientId"])
    http = httpx.Client(transport=transport(httpx))

    def fetch() -> None:
        answer = http.post(base_url() + PATH, content=client.prepare_request_body())
        client.parse_request_body_response(answer.raise_for_status().text)

    def call() -> object:
        if not client.token:
            fetch()
        url = f"{base_url()}/v1/agents"
        try:
            url, headers, _ = client.add_token(url)
        except TokenExpiredError:
            fetch()
            url, headers, _ = client.add_token(url)
        return http.get(url, headers=headers).raise_for_status().json()

    return call


LIBRARIES: dict[str, Callable[[], Calls]] = {
    "authlib": with_authlib, "httpx-auth": with_httpx_auth,
    "requests-oauthlib": with_requests_oauthlib, "oauthlib": with_oauthlib,
}  # fmt: skip
OVER_A_SOCKET = frozenset({"authlib", "requests-oauthlib"})
