"""No clock at all: a token is used until the API refuses it."""

import threading
from typing import Any

from strangers.clients.correct.shared.answers import records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct(
    remarks={
        "TC-05": "by design it refreshes after a refusal only; the documentation advises earlier",
        "TC-06": "as above",
    }
)
class RenewOn401:
    """Renews only on a 401, for which RFC 6750 has the error code."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self._lock = threading.Lock()
        self._token = ""

    def agents(self) -> list[dict[str, Any]]:
        token = self._other_than("")
        status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            token = self._other_than(token)
            status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
            if status == 401:
                self._drop(token)
        return records_of(status, body)

    def close(self) -> None:
        self._api.close()

    def _other_than(self, refused: str) -> str:
        with self._lock:
            if self._token == refused:
                self._token = ""
                self._token = self._api.ask().token
            return self._token

    def _drop(self, refused: str) -> None:
        with self._lock:
            if self._token == refused:
                self._token = ""
