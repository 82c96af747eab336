"""A circuit breaker around the token endpoint, as pybreaker has it."""

import threading
import time
from typing import Any

from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    RefusedError,
    TurrisError,
    UnreadableAnswerError,
    records_of,
)
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.correct.shared.tokens import Tokens
from strangers.clients.design import correct

FAILURES = 3
COOL_DOWN = 10.0


class CircuitOpenError(TurrisError):
    """Turris' token endpoint failed repeatedly; the next attempt is a few seconds away."""


class Breaker:
    """Closed, open for ten seconds after three failures in a row, then one attempt."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at = 0.0

    def ask(self, api: Api) -> Grant:
        with self._lock:
            if self._failures >= FAILURES and 0 <= time.time() - self._opened_at < COOL_DOWN:
                raise CircuitOpenError("the token endpoint failed three times in a row")
        try:
            grant = api.ask()
        except (ConnectionLostError, RefusedError, UnreadableAnswerError):
            with self._lock:
                self._failures += 1
                self._opened_at = time.time()
            raise
        with self._lock:
            self._failures = 0
        return grant


@correct()
class CircuitBreaker:
    """After three failed token requests it fails fast for ten seconds."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._breaker = Breaker()
        self._tokens = Tokens(lambda: self._breaker.ask(self._api))

    def agents(self) -> list[dict[str, Any]]:
        token = self._tokens.current()
        status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            token = self._tokens.current(refused=token)
            status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        return records_of(status, body)

    def close(self) -> None:
        self._api.close()
