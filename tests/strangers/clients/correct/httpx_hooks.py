"""httpx event hooks: one adds the token, one raises errors of our own."""

import threading
import time
from typing import Any

import httpx
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    RefusedError,
    TurrisError,
    grant_of,
    records_of,
    refusal,
    url_of,
)
from strangers.clients.correct.shared.httpx_reading import PLAIN, read
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

EARLY = 300.0


class TokenRefusedError(RefusedError):
    """The API refused the token, which is not to say that it refuses our credentials."""


@correct()
class HttpxEventHooks:
    """The token is added by an event hook; a second client without hooks asks for it."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._plain = httpx.Client(base_url=self._settings.base_url, timeout=self._settings.timeout)
        self._http = httpx.Client(
            base_url=self._settings.base_url,
            timeout=self._settings.timeout,
            headers=PLAIN,
            event_hooks={"request": [self._sign], "response": [self._raise]},
        )
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._send("GET", "/v1/agents"))

    def invite(self, **data: str) -> str:
        invitation = Invitation(**data)
        path = "/v1/downstream-entity-associations/invite"
        return url_of(
            *self._send("POST", path, content=invitation.body, headers=invitation.headers)
        )

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            return self._once(method, path, **arguments)
        except TokenRefusedError:
            return self._once(method, path, **arguments)

    def _once(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            with self._http.stream(method, path, **arguments) as answer:
                return answer.status_code, read(answer, self._settings.timeout)
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None

    def _sign(self, request: httpx.Request) -> None:
        request.headers["authorization"] = f"Bearer {self._current()}"

    def _raise(self, answer: httpx.Response) -> None:
        if answer.status_code < 300:
            return
        body = read(answer, self._settings.timeout)
        if answer.status_code == 401:
            with self._lock:
                if answer.request.headers["authorization"] == f"Bearer {self._token}":
                    self._until = 0.0
            raise TokenRefusedError(401, "for the token")
        raise refusal(answer.status_code, body)

    def _current(self) -> str:
        with self._lock:
            now = time.time()
            if not self._until - 3600 <= now <= self._until - EARLY:
                try:
                    with self._plain.stream(
                        "POST", "/v1/auth/jwt", json=self._settings.credentials, headers=PLAIN
                    ) as answer:
                        body = read(answer, self._settings.timeout)
                    grant = grant_of(answer.status_code, body)
                except (httpx.HTTPError, TurrisError) as error:
                    if isinstance(error, RefusedError) and error.status in {400, 401, 403}:
                        self._until = 0.0
                    if self._until - 3600 <= now < self._until - 5:
                        return self._token
                    if isinstance(error, TurrisError):
                        raise
                    raise ConnectionLostError(type(error).__name__) from None
                self._token, self._until = grant.token, now + grant.seconds
            return self._token
