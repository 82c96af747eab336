"""The token in Django's cache, with the cache's own expiry and its atomic ``add`` as the lock."""

import time
import uuid
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from strangers.clients.correct.shared.answers import TurrisError, records_of, url_of
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, Api, bearer
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct()
class DjangoCache:
    """cache.set(token, timeout=expiresIn - 300); others poll while one holds the lock key."""

    def __init__(self) -> None:
        settings = Settings.from_env()
        self._api = Api(settings)
        self._cache = LocMemCache(uuid.uuid4().hex, {"max_entries": 100})
        self._key = f"turris:{settings.client_id}"

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._signed("GET", "/v1/agents"))

    def invite(self) -> str:
        invitation = Invitation()
        return url_of(
            *self._signed("POST", INVITE_PATH, content=invitation.body, headers=invitation.headers)
        )

    def close(self) -> None:
        self._cache.clear()
        self._api.close()

    def _signed(
        self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
    ) -> tuple[int, bytes]:
        headers = headers or {}
        token = self._token()
        answer = self._api.send(method, path, headers=headers | bearer(token), **arguments)
        if answer[0] == 401:
            if self._cache.get(self._key) == token:
                self._cache.delete(self._key)
            answer = self._api.send(
                method, path, headers=headers | bearer(self._token()), **arguments
            )
        return answer

    def _token(self) -> str:
        for _ in range(200):
            token = self._cache.get(self._key)
            if token is not None:
                return str(token)
            if self._cache.add(f"{self._key}:lock", 1, timeout=30):
                try:
                    return self._fill()
                finally:
                    self._cache.delete(f"{self._key}:lock")
            time.sleep(0.05)
        raise TurrisError("another worker holds the lock for too long")

    def _fill(self) -> str:
        token = self._cache.get(self._key)
        if token is not None:
            return str(token)
        grant = self._api.ask()
        self._cache.set(self._key, grant.token, timeout=max(0.0, grant.seconds - 300))
        return grant.token
