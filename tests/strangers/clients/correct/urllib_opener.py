"""urllib.request with an opener of its own handlers."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from strangers.clients.correct.shared.answers import (
    MAX_BYTES,
    ConnectionLostError,
    Grant,
    UnreadableAnswerError,
    grant_of,
    record_of,
    records_of,
)
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leaves a 3xx as it is; it becomes an HTTPError."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class BearerHandler(urllib.request.BaseHandler):
    """Signs requests of our own address; ``http_error_401`` asks for another token once."""

    handler_order = 400

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._since = 0.0

    def _sign(self, request: urllib.request.Request) -> urllib.request.Request:
        if request.get_header("Authorization") is None and not request.full_url.endswith("/jwt"):
            request.add_unredirected_header("Authorization", f"Bearer {self._token()}")
        return request

    http_request = https_request = _sign

    def http_error_401(self, request: urllib.request.Request, *_: Any) -> Any:
        used = request.unredirected_hdrs.get("Authorization", "")
        if not used or getattr(request, "again", False):
            return None
        with self._lock:
            if self._grant and used == f"Bearer {self._grant.token}":
                self._grant = None
        again = urllib.request.Request(request.full_url, request.data, dict(request.headers))
        again.again = True  # type: ignore[attr-defined] # urllib's own handlers mark requests so
        return self.parent.open(again, timeout=request.timeout)

    def _token(self) -> str:
        with self._lock:
            now = time.time()
            if self._grant is None or not 0 <= now - self._since <= self._grant.seconds - 300:
                question = urllib.request.Request(
                    f"{self._settings.base_url}/v1/auth/jwt",
                    json.dumps(self._settings.credentials).encode(),
                    {"Content-Type": "application/json"},
                )
                opener = self.parent
                self._grant = grant_of(*read(opener, question, self._settings.timeout))
                self._since = now
            return self._grant.token


def read(opener: Any, request: urllib.request.Request, seconds: float) -> tuple[int, bytes]:
    """Status and body; an error answer is an answer too."""
    try:
        answer = opener.open(request, timeout=seconds)
    except urllib.error.HTTPError as error:
        answer = error
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionLostError(type(error).__name__) from None
    body, deadline = bytearray(), time.monotonic() + seconds
    try:
        with answer:
            while part := answer.read1(65536):
                body += part
                if len(body) > MAX_BYTES:
                    raise UnreadableAnswerError("the answer is too large")
                if time.monotonic() > deadline:
                    raise ConnectionLostError("the answer takes too long")
            announced = answer.headers.get("Content-Length")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ConnectionLostError(type(error).__name__) from None
    if announced and announced.isdigit() and len(body) != int(announced):
        raise ConnectionLostError("the answer was cut off")
    return answer.status, bytes(body)


@correct(socket=True)
class UrllibOpener:
    """Handlers for urllib.request: one signs, one refuses redirects, none uses a proxy."""

    def __init__(self) -> None:
        self._settings = Settings.from_env()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), NoRedirects(), BearerHandler(self._settings)
        )

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._get("/v1/agents"))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._get(f"/v1/agents/{agent_id}"), agent_id)

    def _get(self, path: str) -> tuple[int, bytes]:
        request = urllib.request.Request(self._settings.base_url + path)
        return read(self._opener, request, self._settings.timeout)
