"""Tokens in a JSON file of the command-line tool's user, as gcloud and az keep theirs."""

import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from strangers.clients.correct.shared.answers import record_of, records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@correct()
class JsonFileStore:
    """Written to a 0600 temporary file and renamed; a lock file keeps other processes out."""

    def __init__(self, folder: Path | None = None) -> None:
        self._settings = settings = Settings.from_env()
        self._api = Api(settings)
        self._folder = folder or Path(tempfile.mkdtemp(prefix="turris-"))
        words = (settings.base_url, settings.client_id, settings.client_secret)
        self._file = self._folder / f"{sha256(repr(words).encode()).hexdigest()[:16]}.json"
        self._threads = threading.Lock()

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._get("/v1/agents"))

    def agent(self, agent_id: str) -> dict[str, Any]:
        return record_of(*self._get(f"/v1/agents/{agent_id}"), agent_id)

    def close(self) -> None:
        self._api.close()

    def _get(self, path: str) -> tuple[int, bytes]:
        token = self._token()
        status, body = self._api.send("GET", path, headers=bearer(token))
        if status == 401:
            with self._locked():
                if self._load().get("token") == token:
                    self._file.unlink(missing_ok=True)
            status, body = self._api.send("GET", path, headers=bearer(self._token()))
        return status, body

    def _token(self) -> str:
        with self._locked():
            kept, now = self._load(), time.time()
            if kept and kept["asked"] <= now <= kept["asked"] + kept["life"] - 300:
                return str(kept["token"])
            grant = self._api.ask()
            self._save({"token": grant.token, "asked": now, "life": grant.seconds})
            return grant.token

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._threads:
            lock = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            finally:
                os.close(lock)

    def _load(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        usable = isinstance(kept, dict) and kept.keys() >= {"token", "asked", "life"}
        return kept if usable else {}

    def _save(self, kept: dict[str, Any]) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder)  # mkstemp makes it 0600
        with os.fdopen(handle, "w") as file:
            json.dump(kept, file)
        Path(name).replace(self._file)
