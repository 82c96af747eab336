"""requests' AuthBase, with a hook for the 401, as its HTTPDigestAuth does it."""

import threading
import time
from typing import Any

import requests
from requests.auth import AuthBase
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    grant_of,
    record_of,
    records_of,
)
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


class TurrisBearer(AuthBase):
    """Adds the token to a request; after a 401 it sends the request again with another token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._asked_at = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token = self._token()
        request.headers["Authorization"] = f"Bearer {token}"
        tried: list[bool] = []

        def again(answer: requests.Response, **kwargs: Any) -> requests.Response:
            if answer.status_code != 401 or tried:
                return answer
            tried.append(True)
            answer.content  # noqa: B018 - frees the connection
            answer.close()
            repeated = answer.request.copy()
            repeated.headers["Authorization"] = f"Bearer {self._token(refused=token)}"
            second = answer.connection.send(repeated, **kwargs)
            second.history.append(answer)
            second.request = repeated
            return second

        request.register_hook("response", again)  # type: ignore[no-untyped-call] # no types
        return request

    def _token(self, refused: str = "") -> str:
        with self._lock:
            if self._grant is not None and self._grant.token == refused:
                self._grant = None
            now = time.time()
            if self._grant is None or not 0 <= now - self._asked_at <= self._grant.seconds - 300:
                answer = requests.post(
                    f"{self._settings.base_url}/v1/auth/jwt",
                    json=self._settings.credentials,
                    timeout=self._settings.timeout,
                    allow_redirects=False,
                )
                self._grant = grant_of(answer.status_code, answer.content)
                self._asked_at = now
            return self._grant.token


@correct()
class RequestsAuthBase:
    """A plain requests.Session with an AuthBase; it retries nothing but a 401."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._session = requests.Session()
        self._session.auth = TurrisBearer(self._settings)

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._get("/v1/agents"))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._get(f"/v1/agents/{agent_id}"), agent_id)

    def close(self) -> None:
        self._session.close()

    def _get(self, path: str) -> tuple[int, bytes]:
        try:
            answer = self._session.get(
                self._settings.base_url + path,
                timeout=self._settings.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status_code, answer.content
