"""google-auth's three states: fresh, stale (refreshed in the background), invalid (waited for)."""

import enum
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from strangers.clients.correct.shared.answers import Grant, TurrisError, records_of, url_of
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, Api, bearer
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

STALE = timedelta(minutes=10)
INVALID = timedelta(minutes=5)


class State(enum.Enum):
    FRESH = enum.auto()
    STALE = enum.auto()
    INVALID = enum.auto()


@correct()
class StaleWhileRevalidate:
    """From 50 to 55 minutes the old token is used while a worker asks for the next one."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "turris-token")
        self._refreshing = False
        self._grant: Grant | None = None
        self._asked_at = datetime.now(UTC)

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._signed("GET", "/v1/agents"))

    def invite(self) -> str:
        invitation = Invitation()
        return url_of(
            *self._signed("POST", INVITE_PATH, content=invitation.body, headers=invitation.headers)
        )

    def close(self) -> None:
        self._worker.shutdown()
        self._api.close()

    def _signed(
        self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
    ) -> tuple[int, bytes]:
        headers = headers or {}
        token = self._token()
        answer = self._api.send(method, path, headers=headers | bearer(token), **arguments)
        if answer[0] == 401:
            with self._lock:
                if self._grant and self._grant.token == token:
                    self._grant = None
            token = self._token()
            answer = self._api.send(method, path, headers=headers | bearer(token), **arguments)
        return answer

    def _token(self) -> str:
        with self._lock:
            state = self._state()
            if state is State.INVALID:
                self._refresh()
            elif state is State.STALE and not self._refreshing:
                self._refreshing = True
                self._worker.submit(self._in_background)
            assert self._grant is not None
            return self._grant.token

    def _state(self) -> State:
        if self._grant is None:
            return State.INVALID
        age = datetime.now(UTC) - self._asked_at
        life = timedelta(seconds=self._grant.seconds)
        if not timedelta(0) <= age <= life - INVALID:
            return State.INVALID
        return State.STALE if age > life - STALE else State.FRESH

    def _refresh(self) -> None:
        asked_at = datetime.now(UTC)
        self._grant = self._api.ask()
        self._asked_at = asked_at

    def _in_background(self) -> None:
        try:
            asked_at = datetime.now(UTC)
            grant = self._api.ask()
            with self._lock:
                self._grant, self._asked_at = grant, asked_at
        except TurrisError:
            pass  # callers wait for the next one when this one is no longer valid
        finally:
            with self._lock:
                self._refreshing = False
