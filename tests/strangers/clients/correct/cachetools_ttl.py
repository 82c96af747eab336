"""cachetools' TTLCache with a timer, guarded by its own `cached` decorator's lock."""

import threading
import time
from typing import Any

import httpx
from cachetools import TLRUCache, TTLCache, cached
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    Grant,
    grant_of,
    records_of,
)
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct()
class CachetoolsTtl:
    """TTLCache(ttl=55 min, timer=time.time), read and filled under one lock."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._http = httpx.Client(base_url=self._settings.base_url, timeout=self._settings.timeout)
        self._cache: TTLCache[str, str] = TTLCache(maxsize=1, ttl=55 * 60, timer=time.time)
        self._lock = threading.Lock()

    def agents(self) -> list[dict[str, Any]]:
        token = self._token()
        answer = self._get("/v1/agents", token)
        if answer.status_code == 401:
            with self._lock:
                if self._cache.get("token") == token:
                    del self._cache["token"]
            answer = self._get("/v1/agents", self._token())
        return records_of(answer.status_code, answer.content)

    def close(self) -> None:
        self._http.close()

    def _token(self) -> str:
        with self._lock:
            token = self._cache.get("token")
            if token is None:
                token = self._ask().token
                self._cache["token"] = token
            return token

    def _ask(self) -> Grant:
        return ask(self._http, self._settings)

    def _get(self, path: str, token: str) -> httpx.Response:
        try:
            return self._http.get(path, headers={"authorization": f"Bearer {token}"})
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None


def ask(http: httpx.Client, settings: Settings) -> Grant:
    try:
        answer = http.post("/v1/auth/jwt", json=settings.credentials)
    except httpx.HTTPError as error:
        raise ConnectionLostError(type(error).__name__) from None
    return grant_of(answer.status_code, answer.content)


@correct()
class CachetoolsDecorator:
    """@cached with a TLRUCache, whose entries live as long as the answer's expiresIn says."""

    def __init__(self) -> None:
        settings = Settings.from_env()
        http = httpx.Client(base_url=settings.base_url, timeout=settings.timeout)
        cache: TLRUCache[Any, Grant] = TLRUCache(
            maxsize=1,
            ttu=lambda _key, grant, now: now + max(0.0, grant.seconds - 300.0),
            timer=time.time,
        )

        @cached(cache, lock=threading.RLock(), key=lambda: "grant")
        def grant() -> Grant:
            return ask(http, settings)

        self._filling = threading.Lock()
        self._grant = grant
        self._cache = cache
        self._http = http

    def agents(self) -> list[dict[str, Any]]:
        token = self._token()
        status, body = self._get(token)
        if status == 401:
            with self._filling:
                if (old := self._cache.get("grant")) is not None and old.token == token:
                    self._cache.clear()
            status, body = self._get(self._token())
        return records_of(status, body)

    def close(self) -> None:
        self._http.close()

    def _token(self) -> str:
        with self._filling:  # @cached calls the function outside its lock
            return self._grant().token

    def _get(self, token: str) -> tuple[int, bytes]:
        try:
            answer = self._http.get("/v1/agents", headers={"authorization": f"Bearer {token}"})
        except httpx.HTTPError as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status_code, answer.content
