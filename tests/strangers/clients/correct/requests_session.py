"""A subclass of requests.Session whose ``request`` knows the token."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from strangers.clients.correct.shared.answers import (
    MAX_BYTES,
    ConnectionLostError,
    Grant,
    UnreadableAnswerError,
    grant_of,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


def read(answer: requests.Response, seconds: float) -> bytes:
    """The body, with a limit on its size and on its time."""
    parts, deadline = bytearray(), time.monotonic() + seconds
    try:
        with answer:
            for part in answer.iter_content(None):
                parts += part
                if len(parts) > MAX_BYTES:
                    raise UnreadableAnswerError("the answer is too large")
                if time.monotonic() > deadline:
                    raise ConnectionLostError("the answer takes too long")
    except requests.RequestException as error:
        raise ConnectionLostError(type(error).__name__) from None
    return bytes(parts)


class TurrisSession(requests.Session):
    """Refreshes five minutes before the end; never follows redirects, reads no .netrc."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["accept-encoding"] = "identity"
        self._settings = settings
        self._refreshing = threading.RLock()
        self._grant: Grant | None = None
        self._issued = datetime.fromtimestamp(0, UTC)

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", self._settings.timeout)
        kwargs["allow_redirects"] = False
        kwargs["stream"] = True
        given = dict(kwargs.pop("headers", None) or {})
        for attempt in (1, 2):
            token = self.token()
            given["authorization"] = f"Bearer {token}"
            answer = self._try(method, url, *args, headers=given, **kwargs)
            if answer.status_code != 401 or attempt == 2:
                break
            answer.close()
            self.forget(token)
        return answer

    def token(self) -> str:
        with self._refreshing:
            now = datetime.now(UTC)
            if self._grant is None or not self._usable(self._grant, now):
                answer = self._try(
                    "POST",
                    f"{self._settings.base_url}/v1/auth/jwt",
                    json=self._settings.credentials,
                    timeout=self._settings.timeout,
                    allow_redirects=False,
                    stream=True,
                )
                body = read(answer, self._settings.timeout)
                self._grant, self._issued = grant_of(answer.status_code, body), now
            return self._grant.token

    def forget(self, token: str) -> None:
        with self._refreshing:
            if self._grant is not None and self._grant.token == token:
                self._grant = None

    def _usable(self, grant: Grant, now: datetime) -> bool:
        age = now - self._issued
        return timedelta() <= age <= timedelta(seconds=grant.seconds - 300)

    def _try(self, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            return super().request(*args, **kwargs)
        except (requests.RequestException, UnicodeError) as error:
            raise ConnectionLostError(type(error).__name__) from None


@correct()
class RequestsSession:
    """requests.Session, subclassed."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._session = TurrisSession(self._settings)

    def agents(self) -> list[dict[str, Any]]:
        answer = self._session.get(f"{self._settings.base_url}/v1/agents")
        return records_of(answer.status_code, read(answer, self._settings.timeout))

    def begin_invitation(self) -> Any:
        invitation = Invitation()

        def send() -> str:
            answer = self._session.post(
                f"{self._settings.base_url}/v1/downstream-entity-associations/invite",
                data=invitation.body,
                headers=invitation.headers,
            )
            return url_of(answer.status_code, read(answer, self._settings.timeout))

        return send

    def invite(self) -> str:
        return str(self.begin_invitation()())

    def close(self) -> None:
        self._session.close()
