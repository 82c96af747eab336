"""urllib3 without requests."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import urllib3
from strangers.clients.correct.shared.answers import (
    MAX_BYTES,
    ConnectionLostError,
    Grant,
    RefusedError,
    UnreadableAnswerError,
    grant_of,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@dataclass
class Cached:
    grant: Grant = field(repr=False)
    refresh_after: float
    asked_at: float


@correct(socket=True)
class Urllib3Pool:
    """A PoolManager with explicit Timeout and no redirects; keeps the old token."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        seconds = self._settings.timeout
        self._pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=10,
            timeout=urllib3.Timeout(connect=min(5.0, seconds), read=seconds),
            retries=False,
        )
        self._mutex = threading.Lock()
        self._cached: Cached | None = None

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._signed("GET", "/v1/agents"))

    def invite(self) -> str:
        invitation = Invitation()
        path = "/v1/downstream-entity-associations/invite"
        return url_of(*self._signed("POST", path, invitation.body, invitation.headers))

    def close(self) -> None:
        self._pool.clear()

    def _signed(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        token = self._token()
        signed = {**(headers or {}), "authorization": f"Bearer {token}"}
        status, answer = self._send(method, path, body, signed)
        if status == 401:
            signed["authorization"] = f"Bearer {self._token(refused=token)}"
            status, answer = self._send(method, path, body, signed)
        return status, answer

    def _token(self, refused: str = "") -> str:
        with self._mutex:
            if self._cached and self._cached.grant.token == refused:
                self._cached = None
            now, cached = time.time(), self._cached
            if cached and cached.asked_at <= now <= cached.refresh_after:
                return cached.grant.token
            body = json.dumps(self._settings.credentials).encode()
            try:
                grant = grant_of(
                    *self._send("POST", "/v1/auth/jwt", body, {"content-type": "application/json"})
                )
            except (ConnectionLostError, RefusedError) as error:
                final = isinstance(error, RefusedError) and error.status in {400, 401, 403}
                if (
                    final
                    or not cached
                    or not cached.asked_at <= now < cached.asked_at + cached.grant.seconds - 10
                ):
                    raise
                return cached.grant.token
            self._cached = Cached(grant, now + grant.seconds - 300, now)
            return grant.token

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        url = self._settings.base_url + path
        deadline = time.monotonic() + self._settings.timeout
        parts = bytearray()
        try:
            answer = self._pool.request(
                method,
                url,
                body=body,
                headers=headers,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                while part := answer.read1(65536):
                    parts += part
                    if len(parts) > MAX_BYTES:
                        raise UnreadableAnswerError("the answer is too large")
                    if time.monotonic() > deadline:
                        raise ConnectionLostError("the answer takes too long")
            except BaseException:
                answer.close()
                raise
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ConnectionLostError(type(error).__name__) from None
        return answer.status, bytes(parts)
