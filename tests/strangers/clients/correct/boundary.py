"""The vendor's sample code, in Python, with constants and >=."""

import threading
import time
from typing import Any

from strangers.clients.correct.shared.answers import records_of, url_of
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, Api, bearer
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

TOKEN_TTL = 60 * 60 * 1000
REFRESH_BUFFER = 5 * 60 * 1000


def should_refresh(issued_at: int) -> bool:
    elapsed = int(time.time() * 1000) - issued_at
    return elapsed >= TOKEN_TTL - REFRESH_BUFFER or elapsed < 0


@correct()
class VendorSample:
    """TOKEN_TTL and REFRESH_BUFFER as constants in milliseconds; refreshes at 55:00.000 already."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.Lock()
        self._token: str | None = None
        self._issued_at = 0

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._call("GET", "/v1/agents"))

    def invite(self) -> str:
        invitation = Invitation()
        return url_of(
            *self._call("POST", INVITE_PATH, content=invitation.body, headers=invitation.headers)
        )

    def close(self) -> None:
        self._api.close()

    def _call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
    ) -> tuple[int, bytes]:
        token = self._current()
        headers = (headers or {}) | bearer(token)
        status, body = self._api.send(method, path, headers=headers, **arguments)
        if status == 401:
            with self._lock:
                if self._token == token:
                    self._token = None
            headers |= bearer(self._current())
            status, body = self._api.send(method, path, headers=headers, **arguments)
        return status, body

    def _current(self) -> str:
        with self._lock:
            if self._token is None or should_refresh(self._issued_at):
                self._token = self._api.ask().token
                self._issued_at = int(time.time() * 1000)
            return self._token
