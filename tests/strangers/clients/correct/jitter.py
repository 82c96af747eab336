"""Early refresh with jitter, so that fifty workers do not refresh in the same second."""

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from strangers.clients.correct.shared.answers import records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct()
class JitteredRefresh:
    """Refreshes between ten and five minutes before the end, drawn for each token."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.Lock()
        self._random = random.SystemRandom()
        self._token = ""
        self._from = self._until = datetime.min.replace(tzinfo=UTC)

    def agents(self) -> list[dict[str, Any]]:
        token = self._current()
        status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            with self._lock:
                if self._token == token:
                    self._until = self._from
            status, body = self._api.send("GET", "/v1/agents", headers=bearer(self._current()))
        return records_of(status, body)

    def close(self) -> None:
        self._api.close()

    def _current(self) -> str:
        with self._lock:
            now = datetime.now(UTC)
            if not self._from <= now < self._until:
                grant = self._api.ask()
                early = self._random.uniform(300, 600)
                self._token, self._from = grant.token, now
                self._until = now + timedelta(seconds=max(0.0, grant.seconds - early))
            return self._token
