"""The age of a token on the monotonic clock, which cannot be set back."""

import threading
import time
from typing import Any

import httpx
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    RefusedError,
    TurrisError,
    grant_of,
    record_of,
    records_of,
)
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct()
class MonotonicCache:
    """time.monotonic() for the age; a refresh that fails leaves the old token in use."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._http = httpx.Client(base_url=self._settings.base_url, timeout=self._settings.timeout)
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._asked = 0.0

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._get("/v1/agents"))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._get(f"/v1/agents/{agent_id}"), agent_id)

    def close(self) -> None:
        self._http.close()

    def _get(self, path: str) -> tuple[int, bytes]:
        token = self._token()
        status, body = self._send("GET", path, headers={"authorization": f"Bearer {token}"})
        if status != 401:
            return status, body
        with self._lock:
            if self._grant and self._grant.token == token:
                self._grant = None
        return self._send("GET", path, headers={"authorization": f"Bearer {self._token()}"})

    def _token(self) -> str:
        with self._lock:
            asked = time.monotonic()
            age = asked - self._asked
            if self._grant and age <= self._grant.seconds - 300:
                return self._grant.token
            try:
                grant = grant_of(
                    *self._send("POST", "/v1/auth/jwt", json=self._settings.credentials)
                )
            except TurrisError as error:
                refused = isinstance(error, RefusedError) and error.status in {400, 401, 403}
                if self._grant and not refused and age < self._grant.seconds - 30:
                    return self._grant.token
                raise
            self._grant, self._asked = grant, asked
            return grant.token

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status_code, answer.content
