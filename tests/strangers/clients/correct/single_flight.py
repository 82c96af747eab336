"""Single flight for threads: one asks, the others wait for its concurrent.futures.Future."""

import threading
import time
from concurrent.futures import Future
from typing import Any

from strangers.clients.correct.shared.answers import Grant, records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct()
class SingleFlight:
    """Callers that arrive while a token is asked for share its answer, also if it is an error."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._asked_at = 0.0
        self._flight: Future[Grant] | None = None

    def agents(self) -> list[dict[str, Any]]:
        token = self._token()
        status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            token = self._token(refused=token)
            status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        return records_of(status, body)

    def close(self) -> None:
        self._api.close()

    def _token(self, refused: str = "") -> str:
        with self._lock:
            if self._grant and self._grant.token == refused:
                self._grant = None
            now = time.time()
            if self._grant and 0 <= now - self._asked_at <= self._grant.seconds - 300:
                return self._grant.token
            flight, mine = self._flight, False
            if flight is None:
                flight = self._flight = Future()
                mine = True
        if mine:
            self._fly(flight, now)
        return flight.result(timeout=60).token

    def _fly(self, flight: "Future[Grant]", now: float) -> None:
        try:
            grant = self._api.ask()
        except BaseException as error:  # noqa: BLE001 - all who wait get it
            with self._lock:
                self._flight = None
            flight.set_exception(error)
            return
        with self._lock:
            self._grant, self._asked_at, self._flight = grant, now, None
        flight.set_result(grant)
