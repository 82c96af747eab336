"""Tokens on disk, and tokens that travel between processes."""

import json
import os
import pickle
import shelve
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from strangers.clients.correct.plain import Plain
from strangers.clients.design import broken


class FileStore(Plain):
    """Keeps the token in a file; subclasses write it."""

    def __init__(self) -> None:
        super().__init__()
        name = f"turris-{self.settings.client_id}-{os.getpid()}"
        self.file = Path(tempfile.gettempdir()) / name

    def close(self) -> None:
        super().close()
        self.file.unlink(missing_ok=True)

    def save(self, kept: dict[str, Any]) -> None:
        raise NotImplementedError

    def load(self) -> dict[str, Any] | None:
        try:
            kept: dict[str, Any] = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return None
        return kept

    def token(self, refused: str = "") -> str:
        with self.lock:
            kept, now = self.load(), time.time()
            if kept and kept["token"] != refused and 0 <= now - kept["at"] <= kept["life"] - 300:
                return str(kept["token"])
            grant = self.ask()
            self.save({"token": grant.token, "at": now, "life": grant.seconds})
            return grant.token


@broken("TC-29")
class PublicFile(FileStore):
    """write_text with the default mode: every user of the machine can read the token."""

    def save(self, kept: dict[str, Any]) -> None:
        self.file.write_text(json.dumps(kept))
        self.file.chmod(0o644)


@broken("TC-29")
class ChmodTooLate(FileStore):
    """chmod 0600 comes after the file was written with 0666: for a moment it is public."""

    def save(self, kept: dict[str, Any]) -> None:
        handle = os.open(self.file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o666)
        os.fchmod(handle, 0o666)
        os.write(handle, json.dumps(kept).encode())
        os.close(handle)
        self.file.chmod(0o600)


@broken("TC-29")
class GroupReadable(FileStore):
    """0640 and the group of all services."""

    def save(self, kept: dict[str, Any]) -> None:
        handle = os.open(self.file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o640)
        os.write(handle, json.dumps(kept).encode())
        os.close(handle)
        self.file.chmod(0o640)


@broken("TC-29")
class PublicSqlite(FileStore):
    """sqlite3.connect makes the file with the umask's mode, which is readable for all."""

    def __init__(self) -> None:
        super().__init__()
        self.umask = 0o022

    def connection(self) -> sqlite3.Connection:
        before = os.umask(self.umask)
        connection = sqlite3.connect(self.file)
        os.umask(before)
        connection.execute("create table if not exists kept (text text)")
        return connection

    def save(self, kept: dict[str, Any]) -> None:
        connection = self.connection()
        with connection:
            connection.execute("delete from kept")
            connection.execute("insert into kept values (?)", (json.dumps(kept),))
        connection.close()

    def load(self) -> dict[str, Any] | None:
        connection = self.connection()
        row = connection.execute("select text from kept").fetchone()
        connection.close()
        return json.loads(row[0]) if row else None


@broken("TC-29")
class PublicShelve(FileStore):
    """shelve in a shared folder, world-readable."""

    def save(self, kept: dict[str, Any]) -> None:
        before = os.umask(0o022)
        with shelve.open(str(self.file)) as shelf:
            shelf["kept"] = kept
        os.umask(before)

    def load(self) -> dict[str, Any] | None:
        with shelve.open(str(self.file)) as shelf:
            return shelf.get("kept")


@broken("TC-29")
class MovedFromTmp(FileStore):
    """Written to /tmp with 0644 and moved into place with os.replace."""

    def save(self, kept: dict[str, Any]) -> None:
        draft = Path(tempfile.gettempdir()) / f"turris-{os.getpid()}.tmp"
        draft.touch()
        draft.chmod(0o644)
        draft.write_text(json.dumps(kept))
        draft.replace(self.file)


@broken("TC-70")
class TornFile(FileStore):
    """Writes in place and does not lock: another process reads half a file and crashes."""

    def save(self, kept: dict[str, Any]) -> None:
        self.file.touch(0o600)
        with self.file.open("w") as file:
            for part in json.dumps(kept).split(","):
                file.write(part)
                file.flush()

    def load(self) -> dict[str, Any] | None:
        if not self.file.exists():
            return None
        kept: dict[str, Any] = json.loads(self.file.read_text())
        return kept


@broken("TC-29")
class PickledToDisk(FileStore):
    """pickle.dump of the whole client state, secret included, readable for all."""

    def save(self, kept: dict[str, Any]) -> None:
        with self.file.open("wb") as file:
            pickle.dump(kept | {"secret": self.settings.client_secret}, file)
        self.file.chmod(0o644)

    def load(self) -> dict[str, Any] | None:
        if not self.file.exists():
            return None
        kept: dict[str, Any] = pickle.loads(self.file.read_bytes())
        return kept


@broken("TC-70", argument="no check starts several processes with one store at once")
class EachProcessRefreshes(FileStore):
    """The store has no lock between processes: eight workers ask eight times."""

    def save(self, kept: dict[str, Any]) -> None:
        handle, name = tempfile.mkstemp(dir=self.file.parent)
        with os.fdopen(handle, "w") as file:
            json.dump(kept, file)
        Path(name).replace(self.file)
