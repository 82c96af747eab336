"""What openapi-python-client generates: attrs clients, a module of functions."""

import threading
import time
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import httpx
from attrs import define, field
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    grant_of,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, TOKEN_PATH
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

T = TypeVar("T")


@define
class Response(Generic[T]):
    status_code: HTTPStatus
    content: bytes
    parsed: T | None


@define
class Client:
    raise_on_unexpected_status: bool = field(default=False, kw_only=True)
    _base_url: str = field(alias="base_url")
    _headers: dict[str, str] = field(factory=dict, kw_only=True, alias="headers", repr=False)
    _timeout: httpx.Timeout | None = field(default=None, kw_only=True, alias="timeout")
    _follow_redirects: bool = field(default=False, kw_only=True, alias="follow_redirects")
    _client: httpx.Client | None = field(default=None, init=False, repr=False)

    def get_httpx_client(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                base_url=self._base_url,
                headers=self._headers,
                timeout=self._timeout,
                follow_redirects=self._follow_redirects,
            )
        return self._client


@define
class AuthenticatedClient(Client):
    token: str = field(kw_only=True, repr=False)
    prefix: str = "Bearer"
    auth_header_name: str = "Authorization"

    def get_httpx_client(self) -> httpx.Client:
        if self._client is None:
            self._headers[self.auth_header_name] = f"{self.prefix} {self.token}"
        return super().get_httpx_client()


def _get_kwargs() -> dict[str, Any]:
    return {"method": "get", "url": "/v1/agents"}


def sync_detailed(*, client: Client, **kwargs: Any) -> Response[Any]:
    response = client.get_httpx_client().request(**(kwargs or _get_kwargs()))
    return Response(HTTPStatus(response.status_code), response.content, None)


@correct()
class Generated:
    """A fresh AuthenticatedClient for each token, made under a lock."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._template = Client(
            base_url=self._settings.base_url, timeout=httpx.Timeout(self._settings.timeout)
        )
        self._lock = threading.Lock()
        self._client: AuthenticatedClient | None = None
        self._grant: Grant | None = None
        self._asked_at = 0.0

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._call())

    def invite(self) -> str:
        invitation = Invitation()
        return url_of(
            *self._call(
                method="post",
                url=INVITE_PATH,
                content=invitation.body,
                headers=invitation.headers,
            )
        )

    def _call(self, **kwargs: Any) -> tuple[int, bytes]:
        try:
            client = self._authenticated()
            response = sync_detailed(client=client, **kwargs)
            if response.status_code is HTTPStatus.UNAUTHORIZED:
                with self._lock:
                    if self._client is client:
                        self._client = None
                response = sync_detailed(client=self._authenticated(), **kwargs)
        except (httpx.HTTPError, ValueError) as error:
            raise ConnectionLostError(type(error).__name__) from None
        return response.status_code.value, response.content

    def _authenticated(self) -> AuthenticatedClient:
        with self._lock:
            now = time.time()
            age = now - self._asked_at
            if self._client and self._grant and 0 <= age <= self._grant.seconds - 300:
                return self._client
            answer = self._template.get_httpx_client().post(
                TOKEN_PATH, json=self._settings.credentials
            )
            self._grant = grant_of(answer.status_code, answer.content)
            self._asked_at = now
            self._client = AuthenticatedClient(
                base_url=self._settings.base_url,
                timeout=httpx.Timeout(self._settings.timeout),
                token=self._grant.token,
            )
            return self._client
