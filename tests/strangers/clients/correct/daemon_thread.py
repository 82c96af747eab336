"""A daemon thread that keeps the token fresh, so that no caller ever waits for a refresh."""

import threading
import time
from typing import Any

from strangers.clients.correct.shared.answers import Grant, TurrisError, records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

EARLY = 600.0
PAUSE = 30.0


@correct()
class DaemonThread:
    """A thread sleeps in Event.wait until ten minutes before the end; callers check the age too."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._asked_at = 0.0
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._keep_fresh, name="turris-token", daemon=True)

    def agents(self) -> list[dict[str, Any]]:
        token = self._token()
        status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            token = self._token(refused=token)
            status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        return records_of(status, body)

    def close(self) -> None:
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._api.close()

    def _token(self, refused: str = "") -> str:
        with self._lock:
            if self._grant and self._grant.token == refused:
                self._grant = None
            if not self._fresh(300):
                self._refresh()
                if not self._thread.is_alive() and not self._thread.ident:
                    self._thread.start()
            assert self._grant is not None
            return self._grant.token

    def _fresh(self, early: float) -> bool:
        age = time.time() - self._asked_at
        return self._grant is not None and 0 <= age <= self._grant.seconds - early

    def _refresh(self) -> None:
        asked_at = time.time()
        self._grant = self._api.ask()
        self._asked_at = asked_at

    def _keep_fresh(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                life = self._grant.seconds if self._grant else 0.0
                left = self._asked_at + max(life - EARLY, life / 2) - time.time()
            if left > 0:
                self._wake.wait(left)
                continue
            with self._lock:
                try:
                    if not self._stop.is_set():
                        self._refresh()
                        continue
                except TurrisError:
                    pass
            self._stop.wait(PAUSE)
