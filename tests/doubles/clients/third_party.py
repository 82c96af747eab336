"""Published OAuth clients, as they are: each gets the token endpoint and the credentials.

The form of RFC 6749 is translated in front of the sandbox (``dialect.py``), so that no code of ours
stands between a library and what it sends.
"""

import os
from collections.abc import Callable
from typing import Any

import httpx
import httpx_auth
import requests
import requests_auth
from aiohttp import ClientSession
from aiohttp_oauth2_client.grant.client_credentials import ClientCredentialsGrant
from aiohttp_oauth2_client.middleware import OAuth2Middleware
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.httpx_client import OAuth2Client as AuthlibClient
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauth2_client.credentials_manager import CredentialManager, ServiceInformation
from oauthlib.oauth2 import BackendApplicationClient, TokenExpiredError
from requests_oauth2client import OAuth2Client, OAuth2ClientCredentialsAuth
from requests_oauthlib import OAuth2Session

BUFFER = 300
Calls = Callable[[], Any]


def _id() -> str:
    return os.environ["TURRIS_CLIENT_ID"]


def _secret() -> str:
    return os.environ["TURRIS_CLIENT_SECRET"]


def _token_url() -> str:
    return f"{os.environ['TURRIS_BASE_URL']}/v1/auth/jwt"


def _agents() -> str:
    return f"{os.environ['TURRIS_BASE_URL']}/v1/agents"


def with_authlib_httpx() -> Calls:
    """``OAuth2Client`` on httpx2, or httpx, its leeway set to the buffer."""
    client = AuthlibClient(
        _id(), _secret(), token_endpoint=_token_url(), grant_type="client_credentials",
        leeway=BUFFER,
    )  # fmt: skip
    url = _agents()

    def call() -> object:
        if client.token is None:
            client.fetch_token()
        return client.get(url).raise_for_status()

    return call


def with_authlib_requests() -> Calls:
    """``OAuth2Session`` on requests, its leeway set to the buffer."""
    session = AuthlibSession(
        _id(), _secret(), token_endpoint=_token_url(), grant_type="client_credentials",
        leeway=BUFFER,
    )  # fmt: skip
    url = _agents()

    def call() -> object:
        if session.token is None:
            session.fetch_token()
        return session.get(url).raise_for_status()

    return call


def with_authlib_async() -> Calls:
    """``AsyncOAuth2Client``, its leeway set to the buffer."""
    client = AsyncOAuth2Client(
        _id(), _secret(), token_endpoint=_token_url(), grant_type="client_credentials",
        leeway=BUFFER,
    )  # fmt: skip
    url = _agents()

    async def call() -> object:
        if client.token is None:
            await client.fetch_token()
        return (await client.get(url)).raise_for_status()

    return call


def with_httpx_auth() -> Calls:
    """``OAuth2ClientCredentials``, with its early expiry set to the buffer."""
    auth = httpx_auth.OAuth2ClientCredentials(_token_url(), _id(), _secret(), early_expiry=BUFFER)
    client, url = httpx.Client(auth=auth), _agents()
    return lambda: client.get(url).raise_for_status()


def with_requests_auth() -> Calls:
    """``OAuth2ClientCredentials``, with its early expiry set to the buffer."""
    auth = requests_auth.OAuth2ClientCredentials(
        _token_url(), _id(), _secret(), early_expiry=BUFFER
    )
    session, url = requests.Session(), _agents()
    return lambda: session.get(url, auth=auth).raise_for_status()


def with_requests_oauthlib() -> Calls:
    """``OAuth2Session``; it raises when a token has expired, and is asked again, as documented."""
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # TC-17 asks for plain HTTP
    session = OAuth2Session(client=BackendApplicationClient(_id()))
    token_url, client_id, secret, url = _token_url(), _id(), _secret(), _agents()

    def fetch() -> None:
        session.fetch_token(token_url, client_id=client_id, client_secret=secret)

    def call() -> object:
        if not session.token:
            fetch()
        try:
            return session.get(url).raise_for_status()
        except TokenExpiredError:
            fetch()
            return session.get(url).raise_for_status()

    return call


def with_requests_oauth2client() -> Calls:
    """``OAuth2ClientCredentialsAuth``, its leeway set to the buffer."""
    auth = OAuth2ClientCredentialsAuth(
        OAuth2Client(token_endpoint=_token_url(), auth=(_id(), _secret())), leeway=BUFFER
    )
    session, url = requests.Session(), _agents()
    return lambda: session.get(url, auth=auth).raise_for_status()


def with_oauth2_client() -> Calls:
    """``CredentialManager``, which renews a token when it is refused."""
    service = ServiceInformation(None, _token_url(), _id(), _secret(), [])
    manager, url, begun = CredentialManager(service), _agents(), list[bool]()

    def call() -> object:
        if not begun:
            manager.init_with_client_credentials()
            begun.append(True)
        return manager.get(url).raise_for_status()

    return call


def with_aiohttp_oauth2_client() -> Calls:
    """``OAuth2Middleware`` with a grant of client credentials."""
    grant = ClientCredentialsGrant(_token_url(), _id(), _secret())
    sessions: list[ClientSession] = []
    url = _agents()

    async def call() -> object:
        if not sessions:
            sessions.append(ClientSession(middlewares=(OAuth2Middleware(grant),)))
        async with sessions[0].get(url) as answer:
            answer.raise_for_status()
            return await answer.json()

    return call


def forget_all() -> None:
    """Empty the caches that two libraries keep for the whole process: for another test."""
    httpx_auth.OAuth2.token_cache.clear()
    requests_auth.OAuth2.token_cache.clear()  # type: ignore[no-untyped-call] # it has no annotations


LIBRARIES: dict[str, Callable[[], Calls]] = {
    "authlib (httpx)": with_authlib_httpx,
    "authlib (requests)": with_authlib_requests,
    "authlib (async)": with_authlib_async,
    "httpx-auth": with_httpx_auth,
    "requests-auth": with_requests_auth,
    "requests-oauthlib": with_requests_oauthlib,
    "requests_oauth2client": with_requests_oauth2client,
    "oauth2-client": with_oauth2_client,
    "aiohttp-oauth2-client": with_aiohttp_oauth2_client,
}
"""Each library with a function that makes a client from the environment, and returns its call."""

ASYNC = frozenset({"authlib (async)", "aiohttp-oauth2-client"})
OVER_A_SOCKET = frozenset({"aiohttp-oauth2-client"})
