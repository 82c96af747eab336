"""Start a receiver in a process of its own, and look at what it does."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from doubles.ports import free_port
from strangers.receivers.api import Api
from strangers.receivers.bug import Bug
from strangers.receivers.stack import FOLDER, Stack
from strangers.receivers.stacks import STACKS
from strangers.receivers.store import Store

from pytest_turris.process.steady_clock import steady_time

KEY = "turris_sandbox_whsec_0123456789abcdef"
ENTITY = "507f1f77bcf86cd799439010"
START_SECONDS = 60
_PAUSE = 0.02
MODULES = FOLDER / "node_modules"


def missing(stack: Stack) -> str:
    """What is missing to start a stack, or an empty text."""
    programs = [name for name in (stack.command[0], *stack.needs) if "{" not in name]
    absent = [name for name in programs if not shutil.which(name, path=_path())]
    absent += [name for name in stack.files if not Path(name).exists()]
    if absent:
        return f"`make system-packages` installs {absent[0]}"
    if stack.command[0] == "node" and not MODULES.is_dir():
        return "`make node-packages` installs the packages of npm"
    return ""


class Served:
    """A receiver that runs.

    Args:
        stack: How to start it.
        bug: What was changed in it.
        folder: An empty folder, for the copy and for the data.
    """

    def __init__(self, stack: Stack, bug: Bug | None, folder: Path) -> None:
        self.stack = stack
        self._folder = folder
        self._code = folder / "code" / stack.name
        self.data = folder / "data"
        self.own_store = Store(self.data, stack.counted)
        self.store = self.own_store
        self._output = folder / "output.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.api = Api()
        self.port = free_port()
        self.data.mkdir(mode=0o777)
        self.own_store.inbox.mkdir()
        for path in (folder, self.data, self.own_store.inbox):
            path.chmod(0o777)
        shutil.copytree(stack.home, self._code)
        for other in stack.others:
            shutil.copytree(other, self._code.parent / other.name, dirs_exist_ok=True)
        (folder / "code" / "node_modules").symlink_to(MODULES)
        if bug:
            source = self._code / stack.source
            source.write_text(bug.apply(source.read_text()))

    @property
    def url(self) -> str:
        """Where it takes webhooks."""
        return f"http://127.0.0.1:{self.port}{self.stack.path}"

    def start(self, *, upstream: int = 0) -> None:
        """Run the command, and wait until it listens.

        Raises:
            RuntimeError: It does not start; the message has the end of its output.
        """
        environment = self._environment(upstream)
        if (template := self._code / "nginx.conf").exists():
            text = template.read_text().replace("DATA_DIR", str(self.data))
            text = text.replace("PORT", str(self.port)).replace("UPSTREAM", str(upstream))
            template.write_text(text)
        if self.stack.prepare:
            self._run(self.stack.prepare, environment)
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._words(self.stack.command),
                cwd=self._code,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait()

    def stop(self) -> None:
        """End the process and those that it started, and wait until its port is free."""
        if not self._process:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # Those that it started end a moment later; what is started meanwhile cannot listen.
        end = steady_time() + START_SECONDS
        while self._listens() and steady_time() < end:
            threading.Event().wait(_PAUSE)

    def restart(self) -> None:
        """Start it again on the same data."""
        self.stop()
        self.start()

    @property
    def settle(self) -> Callable[[], None] | None:
        """Waits until all is done that was answered before."""
        query = self.stack.unfinished
        return (lambda: self.store.wait_for(query)) if query else None

    def log(self) -> str:
        """What it wrote to its log and to its output."""
        files = [self._output, *self.data.glob("*.log")]
        return "".join(file.read_text(errors="replace") for file in files)

    def shown(self) -> str:
        """The page that shows names, and the mail that was written."""
        address = f"http://127.0.0.1:{self.port}{self.stack.page}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            page = answer.read().decode()
        return "".join((page, *(mail.read_text() for mail in self.data.glob("*.txt"))))

    def _environment(self, upstream: int) -> dict[str, str]:
        others = [self._code.parent / other.name for other in self.stack.others]
        return {
            "PATH": _path(),
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "PORT": str(self.port),
            "UPSTREAM": str(upstream),
            "TURRIS_WEBHOOK_SECRET": KEY,
            "TURRIS_UPSTREAM_ENTITY_ID": ENTITY,
            "TURRIS_BASE_URL": self.api.url,
            "DATA_DIR": str(self.data),
            "SOURCE_DIR": str(self._code),
            "DATABASE_PATH": str(self.own_store.database),
            "INBOX_DIR": str(self.own_store.inbox),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": ":".join(map(str, others)),
            "RACK_ENV": "production",
            "GOFLAGS": "-mod=mod",
            "GOTOOLCHAIN": "local",
            "GOPROXY": "off",
        }

    def _words(self, command: Sequence[str]) -> list[str]:
        values = {
            "{port}": str(self.port),
            "{python}": sys.executable,
            "{folder}": str(self._code),
            "{data}": str(self.data),
        }
        words = list(command)
        for name, value in values.items():
            words = [word.replace(name, value) for word in words]
        return words

    def _run(self, command: Sequence[str], environment: dict[str, str]) -> None:
        done = subprocess.run(
            self._words(command), cwd=self._code, env=environment, capture_output=True, check=False
        )
        if done.returncode:
            text = (done.stdout + done.stderr).decode(errors="replace")
            raise RuntimeError(f"{self.stack.name}: {' '.join(command)} failed: {text[-2000:]}")

    def _wait(self) -> None:
        end = steady_time() + START_SECONDS
        while steady_time() < end:
            if self._process and self._process.poll() is not None:
                break
            if self._listens():
                return
            threading.Event().wait(_PAUSE)
        self.stop()
        raise RuntimeError(f"{self.stack.name} does not start: {self.log()[-2000:]}")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


@contextlib.contextmanager
def served(name: str, bug: Bug | None = None) -> Iterator[Served]:
    """Start a stack, with what it is behind of, and end it afterwards."""
    stack = STACKS[name]
    with contextlib.ExitStack() as stack_of:
        # Not pytest's folder, which only its owner may enter: Apache runs as another user.
        folder = Path(
            stack_of.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        )
        upstream = stack_of.enter_context(served(stack.behind)) if stack.behind else None
        one = Served(stack, bug, folder)
        stack_of.enter_context(one.api)
        stack_of.callback(one.stop)
        one.start(upstream=upstream.port if upstream else 0)
        one.store = (upstream or one).own_store
        yield one


def _path() -> str:
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/games"))
