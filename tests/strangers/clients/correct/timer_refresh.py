"""A schedule of threading.Timer, as APScheduler's date trigger would do it."""

import threading
import time
from typing import Any

from strangers.clients.correct.shared.answers import Grant, TurrisError, records_of, url_of
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, Api, bearer
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct()
class TimerRefresh:
    """After each token a Timer is set for 50 minutes later; callers check the age too."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.RLock()
        self._grant: Grant | None = None
        self._asked_at = 0.0
        self._timer: threading.Timer | None = None
        self._closed = False

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._signed("GET", "/v1/agents"))

    def invite(self) -> str:
        invitation = Invitation()
        return url_of(
            *self._signed("POST", INVITE_PATH, content=invitation.body, headers=invitation.headers)
        )

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
        self._api.close()

    def _signed(
        self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
    ) -> tuple[int, bytes]:
        token = self._token()
        headers = headers or {}
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
            age = time.time() - self._asked_at
            if self._grant is None or not 0 <= age <= self._grant.seconds - 300:
                self._refresh()
            assert self._grant is not None
            return self._grant.token

    def _refresh(self) -> None:
        asked_at = time.time()
        self._grant = self._api.ask()
        self._asked_at = asked_at
        self._set_timer(max(self._grant.seconds - 600, self._grant.seconds / 2, 1.0))

    def _set_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._timer = threading.Timer(seconds, self._due)
            self._timer.daemon = True
            self._timer.start()

    def _due(self) -> None:
        with self._lock:
            if self._closed:
                return
            try:
                self._refresh()
            except TurrisError:
                self._set_timer(60.0)
