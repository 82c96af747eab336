"""A dataclass for the token and a double-checked lock: readers never wait while a token is good."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from strangers.clients.correct.shared.answers import record_of, records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@dataclass(frozen=True, slots=True)
class Token:
    text: str = field(repr=False)
    issued_at: datetime
    life: timedelta

    def good(self, now: datetime) -> bool:
        return timedelta(0) <= now - self.issued_at <= self.life - timedelta(minutes=5)


@correct()
class DoubleChecked:
    """An immutable Token is swapped under a lock; the fast path takes no lock."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.Lock()
        self._token: Token | None = None

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._get("/v1/agents"))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._get(f"/v1/agents/{agent_id}"), agent_id)

    def close(self) -> None:
        self._api.close()

    def _get(self, path: str) -> tuple[int, bytes]:
        token = self._good()
        status, body = self._api.send("GET", path, headers=bearer(token.text))
        if status == 401:
            token = self._good(not_this=token)
            status, body = self._api.send("GET", path, headers=bearer(token.text))
        return status, body

    def _good(self, not_this: Token | None = None) -> Token:
        token = self._token
        if token is not None and token is not not_this and token.good(datetime.now(UTC)):
            return token
        with self._lock:
            token, now = self._token, datetime.now(UTC)
            if token is not None and token is not not_this and token.good(now):
                return token
            grant = self._api.ask()
            self._token = Token(grant.token, now, timedelta(seconds=grant.seconds))
            return self._token
