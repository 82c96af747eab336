"""Tokens in an SQLite database that several processes share; BEGIN IMMEDIATE is the lock."""

import contextlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from strangers.clients.correct.shared.answers import records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

TABLE = (
    "create table if not exists token (owner text primary key, text text, asked real, life real)"
)


@correct()
class SqliteStore:
    """One row for each address, client id and secret; the file is the owner's alone."""

    def __init__(self, path: Path | None = None) -> None:
        self._settings = settings = Settings.from_env()
        self._api = Api(settings)
        self._path = path or Path(tempfile.mkdtemp(prefix="turris-")) / "tokens.sqlite3"
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        words = (settings.base_url, settings.client_id, settings.client_secret)
        self._owner = sha256("\0".join(words).encode()).hexdigest()

    def agents(self) -> list[dict[str, Any]]:
        token = self._token()
        status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            token = self._token(refused=token)
            status, body = self._api.send("GET", "/v1/agents", headers=bearer(token))
        return records_of(status, body)

    def close(self) -> None:
        self._api.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        try:
            connection.execute("begin immediate")
            connection.execute(TABLE)
            yield connection
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise
        finally:
            connection.close()

    def _token(self, refused: str = "") -> str:
        with self._transaction() as rows:
            query = "select text, asked, life from token where owner = ?"
            row = rows.execute(query, (self._owner,)).fetchone()
            now = time.time()
            if row and row[0] != refused and row[1] <= now <= row[1] + row[2] - 300:
                return str(row[0])
            grant = self._api.ask()
            rows.execute(
                "insert or replace into token values (?, ?, ?, ?)",
                (self._owner, grant.token, now, grant.seconds),
            )
            return grant.token
