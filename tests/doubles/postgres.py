"""A server of PostgreSQL for tests: of this machine's Debian, in a temporary folder, on a socket.

PostgreSQL refuses to run as root, so it runs as ``postgres`` or ``nobody`` then.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg

_DEBIAN = Path("/usr/lib/postgresql")
_FAST = ["fsync=off", "full_page_writes=off"]
_LONGEST = 60.0


def programs() -> Path | None:
    """The folder with the programs of the newest PostgreSQL that is installed."""
    folders = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = folders[-1] if folders else shutil.which("initdb")
    folder = Path(found).resolve().parent if found else None
    return folder if folder and (folder / "postgres").exists() else None


def missing() -> str:
    """Why no server can be started; empty if one can."""
    return "" if programs() else "PostgreSQL is not installed: make system-packages"


class PostgresServer:
    """A server of its own, with an empty database for each test.

    Args:
        programs: The folder with PostgreSQL's programs.
        is_durable: Whether it waits for the disk, as it does by default.
        port: Where it listens on loopback too, for benchmarks; 0 for the socket in its folder only.
    """

    def __init__(self, programs: Path, *, is_durable: bool = False, port: int = 0) -> None:
        self._programs = programs
        # Not below pytest's own folder, which other users cannot enter; and short, for a socket.
        self.folder = Path(mkdtemp(prefix="turris-pg-"))
        self._user = _unprivileged(self.folder)
        self._port = port
        self._settings = ([] if is_durable else _FAST) + ([f"port={port}"] if port else [])
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None
        # Without them, a cluster has the encoding and the order of the environment's locale.
        same = ("--encoding=UTF8", "--locale=C")
        self._run("initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "turris", "-N", *same)
        self.start()

    @property
    def pid(self) -> int:
        """The id of the server's first process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [
            f"listen_addresses={'127.0.0.1' if self._port else ''}",
            f"unix_socket_directories={self.folder}",
            "max_connections=100",
            "shared_buffers=16MB",
            *self._settings,
        ]
        command = [str(self._programs / "postgres"), "-D", f"{self.folder}/data"]
        command += [part for setting in settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._user)
        begun = time.monotonic()
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() - begun < _LONGEST, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: in order, or at once with SIGQUIT, as a crash does."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_LONGEST)
            self._process = None

    def new_database(self, encoding: str = "UTF8") -> str:
        """The connection URL of a new, empty database."""
        self._made += 1
        name = f"turris{self._made}"
        how = f"TEMPLATE template0 ENCODING '{encoding}'"
        with self._connected() as connection:
            connection.execute(f"CREATE DATABASE {name} {how}".encode())
        if self._port:
            return f"postgresql://turris:not-a-secret@127.0.0.1:{self._port}/{name}?sslmode=disable"
        return f"postgresql://turris:not-a-secret@/{name}?host={self.folder}"

    def close(self) -> None:
        """Stop it and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            capture_output=True,
            timeout=_LONGEST,
            **self._user,
        )

    def _connected(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host=str(self.folder),
            port=self._port or None,
            user="turris",
            dbname="postgres",
            autocommit=True,
        )

    def _answers(self) -> bool:
        try:
            self._connected().close()
        except psycopg.OperationalError:
            return False
        return True


@contextlib.contextmanager
def running(*, is_durable: bool = False, port: int = 0) -> Iterator[PostgresServer]:
    """A server for a while."""
    found = programs()
    assert found is not None
    server = PostgresServer(found, is_durable=is_durable, port=port)
    try:
        yield server
    finally:
        server.close()


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to start a process as a user that PostgreSQL accepts; the folder becomes theirs."""
    if os.getuid():
        return {"cwd": folder}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o700)
    return {"cwd": folder, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
