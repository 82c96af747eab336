"""The standard library's http.client: a connection for each call, in a script that runs nightly."""

import http.client
import json
import os
import ssl
import threading
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from strangers.clients.design import correct


class DirectoryError(Exception):
    pass


@correct(socket=True)
class HttpClient:
    """A new connection for each request; everything is written out by hand."""

    LIMIT = 4_000_000

    def __init__(self) -> None:
        self._timeout = float(os.environ.get("TURRIS_TIMEOUT", "15"))
        address = urlsplit(os.environ["TURRIS_BASE_URL"])
        if address.scheme == "https":
            self._connection: Any = lambda: http.client.HTTPSConnection(
                address.hostname or "",
                address.port,
                timeout=self._timeout,
                context=ssl.create_default_context(),
            )
        elif address.hostname in {"127.0.0.1", "localhost"}:
            self._connection = lambda: http.client.HTTPConnection(
                address.hostname or "", address.port, timeout=self._timeout
            )
        else:
            raise DirectoryError("TURRIS_BASE_URL has to start with https://")
        self._id = os.environ["TURRIS_CLIENT_ID"]
        self._secret = os.environ["TURRIS_CLIENT_SECRET"]
        self._lock = threading.Lock()
        self._token: str | None = None
        self._issued = 0.0

    def agents(self) -> list[Any]:
        data = self._call("GET", "/v1/agents")
        if not isinstance(data, list):
            raise DirectoryError("no list of agents")
        return data

    def invite(self) -> str:
        body = json.dumps(
            {
                "useInviteUrl": True,
                "isNpnRequired": False,
                "downstreamEntityName": "Harbor Brokerage",
                "firstName": "Max",
                "lastName": "Rowe",
                "email": "max@example.com",
                "category": "wholesale brokerage",
            }
        )
        data = self._call(
            "POST",
            "/v1/downstream-entity-associations/invite",
            body,
            {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())},
        )
        if not isinstance(data, dict) or not isinstance(data.get("url"), str):
            raise DirectoryError("no invitation URL")
        return str(data["url"])

    def _call(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        used = self._bearer()
        status, data = self._exchange(
            method, path, body, {**(headers or {}), "Authorization": f"Bearer {used}"}
        )
        if status == 401:
            with self._lock:
                if self._token == used:
                    self._token = None
            used = self._bearer()
            status, data = self._exchange(
                method, path, body, {**(headers or {}), "Authorization": f"Bearer {used}"}
            )
        if status not in (200, 201):
            raise DirectoryError(f"{method} {path} was answered with status {status}")
        return data

    def _bearer(self) -> str:
        with self._lock:
            now = time.time()
            if self._token is None or not 0 <= now - self._issued <= 55 * 60:
                credentials = json.dumps({"clientId": self._id, "clientSecret": self._secret})
                status, data = self._exchange(
                    "POST", "/v1/auth/jwt", credentials, {"Content-Type": "application/json"}
                )
                if status not in (200, 201):
                    raise DirectoryError(f"the token request was answered with status {status}")
                token = data.get("accessToken") if isinstance(data, dict) else None
                if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                    raise DirectoryError("no usable token in the answer")
                if " " in token or not 16 <= len(token) <= 8000:
                    raise DirectoryError("no usable token in the answer")
                if str(data.get("tokenType", "Bearer")).lower() != "bearer":
                    raise DirectoryError("not a bearer token")
                self._token, self._issued = token, now
                life = data.get("expiresIn")
                if type(life) is int and 0 < life < 3600:
                    self._issued -= 3600 - life
            return str(self._token)

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, Any]:
        connection = self._connection()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            raw, deadline = b"", time.monotonic() + self._timeout
            while chunk := answer.read1(65536):
                raw += chunk
                if len(raw) > self.LIMIT or time.monotonic() > deadline:
                    raise DirectoryError("the answer is too long")
            if answer.status not in (200, 201):
                return answer.status, None
            announced = answer.getheader("Content-Length")
            if announced and announced.isdigit() and len(raw) != int(announced):
                raise DirectoryError("the answer was cut off")
            parsed = json.loads(raw.decode("utf-8"))
        except (OSError, http.client.HTTPException) as error:
            raise DirectoryError(f"no answer: {type(error).__name__}") from None
        except (ValueError, RecursionError):
            raise DirectoryError("the answer is not JSON") from None
        finally:
            connection.close()
        if not isinstance(parsed, dict) or "data" not in parsed:
            raise DirectoryError("the answer has no data")
        return answer.status, parsed["data"]
