"""An HTTPAdapter that signs, mounted for the API's address only, with urllib3's Retry below it."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    grant_of,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct
from urllib3.util.retry import Retry

RETRY = Retry(
    total=3,
    backoff_factor=0.5,
    status_forcelist=(500, 502, 503, 504),
    allowed_methods={
        "GET",
        "POST",
    },  # every POST of this API carries an idempotency key, or is a token request
    respect_retry_after_header=True,
    raise_on_status=False,
    redirect=0,
    retry_after_max=60,
)


class SigningAdapter(HTTPAdapter):
    def __init__(self, settings: Settings) -> None:
        super().__init__(max_retries=RETRY)
        self._settings = settings
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._since = datetime(1970, 1, 1, tzinfo=UTC)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        token = self._current(*args, **kwargs)
        request.headers["Authorization"] = f"Bearer {token}"
        answer = super().send(request, *args, **kwargs)
        if answer.status_code == 401:
            answer.close()
            with self._lock:
                if self._grant and self._grant.token == token:
                    self._grant = None
            request.headers["Authorization"] = f"Bearer {self._current(*args, **kwargs)}"
            answer = super().send(request, *args, **kwargs)
        return answer

    def _current(self, *args: Any, **kwargs: Any) -> str:
        with self._lock:
            now = datetime.now(UTC)
            age = now - self._since
            if self._grant is None or not (
                timedelta(0) <= age < timedelta(seconds=self._grant.seconds) - timedelta(minutes=5)
            ):
                question = requests.Request(
                    "POST",
                    f"{self._settings.base_url}/v1/auth/jwt",
                    json=self._settings.credentials,
                ).prepare()
                answer = super().send(question, *args, **(kwargs | {"stream": False}))
                self._grant, self._since = grant_of(answer.status_code, answer.content), now
            return self._grant.token


@correct()
class RequestsAdapter:
    """The adapter is mounted on the API's address, so that no other host can see a token."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount(self._settings.base_url, SigningAdapter(self._settings))

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._send("GET", "/v1/agents"))

    def invite(self) -> str:
        invitation = Invitation()
        path = "/v1/downstream-entity-associations/invite"
        return url_of(*self._send("POST", path, data=invitation.body, headers=invitation.headers))

    def close(self) -> None:
        self._session.close()

    def _send(self, method: str, path: str, **arguments: Any) -> tuple[int, bytes]:
        try:
            answer = self._session.request(
                method,
                self._settings.base_url + path,
                timeout=self._settings.timeout,
                allow_redirects=False,
                **arguments,
            )
        except (requests.RequestException, OverflowError) as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status_code, answer.content
