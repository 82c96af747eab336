"""Times as whole seconds, as they stand in many a database column."""

import threading
import time
from typing import Any

from strangers.clients.correct.shared.answers import records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct()
class WholeSeconds:
    """int(time.time()) on both sides: a token is replaced within the second in which it is due."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.Lock()
        self._token = ""
        self._asked_at = 0
        self._expires_at = 0

    def agents(self) -> list[dict[str, Any]]:
        token = self._current()
        status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            with self._lock:
                if self._token == token:
                    self._expires_at = 0
            status, body = self._api.send("GET", "/v1/agents", headers=bearer(self._current()))
        return records_of(status, body)

    def close(self) -> None:
        self._api.close()

    def _current(self) -> str:
        with self._lock:
            now = int(time.time())
            if now > self._expires_at - 300 or now < self._asked_at:
                grant = self._api.ask()
                self._token, self._asked_at = grant.token, now
                self._expires_at = now + int(grant.seconds)
            return self._token
