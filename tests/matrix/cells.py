"""The cells of the matrix: what a consumer's suite is run with, and how."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

SUITE = ("test_directory.py",)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One environment, and one run in it."""

    name: str
    installs: tuple[str, ...] = ()
    """Requirements besides pytest-turris."""

    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = SUITE
    python: str | None = None
    """A version such as ``3.13``; None for the Python that runs the matrix."""

    lowest: bool = False
    """Whether each dependency of pytest-turris is installed in its lowest allowed version."""

    extra: str = ""
    """The extra of pytest-turris that is installed too."""

    @property
    def how(self) -> str:
        """The environment variables and arguments of the run, as typed in a shell."""
        return shlex.join([f"{name}={value}" for name, value in self.env.items()] + [*self.args])


def _versions() -> Iterator[Cell]:
    yield Cell(name="pytest 8.4", installs=("pytest==8.4.*",))
    yield Cell(name="pytest 9.0", installs=("pytest==9.0.*",))
    yield Cell(name="pytest, newest")
    yield Cell(name="oldest dependencies", lowest=True)
    command = ("test_command_line.py",)
    yield Cell(name="oldest command line", extra="server", lowest=True, files=command)
    for version in ("3.11", "3.12", "3.13"):
        yield Cell(name=f"Python {version}", python=version)


def _plugins() -> Iterator[Cell]:
    def cell(
        name: str, *installs: str, args: tuple[str, ...] = (), files: tuple[str, ...] = ()
    ) -> Cell:
        return Cell(name=name, installs=installs or (name,), args=args, files=(*SUITE, *files))

    yield cell("httpx2 and requests", "httpx2", "requests", files=("test_other_libraries.py",))
    yield cell("pytest-asyncio, strict", "pytest-asyncio", files=("test_asyncio.py",))
    yield cell(
        "pytest-asyncio, auto",
        "pytest-asyncio",
        args=("--asyncio-mode=auto",),
        files=("test_asyncio.py", "test_asyncio_auto.py"),
    )
    yield cell("anyio, asyncio and trio", "anyio[trio]", files=("test_anyio.py",))
    yield cell("pytest-xdist", args=("-n", "2"))
    threads = ("--parallel-threads=4",)
    yield cell("pytest-run-parallel", args=threads, files=("test_threads.py",))
    yield cell("pytest-randomly")
    again = ("test_reruns.py", "test_attempts.py")
    yield cell("pytest-rerunfailures", args=("--reruns", "2"), files=again)
    yield cell("pytest-retry", args=("--retries", "2"), files=("test_attempts.py",))
    forced = ("--force-flaky", "--max-runs", "3")
    yield cell("flaky", args=forced, files=("test_attempts.py",))
    yield cell("pytest-repeat", args=("--count", "2"))
    off = ("--disable-socket", "-k", "not server and not async")
    yield cell("pytest-socket, no sockets", "pytest-socket", args=off)
    yield cell("pytest-socket, loopback", "pytest-socket", args=("--allow-hosts=127.0.0.1",))
    yield cell("pytest-cov", args=("--cov=directory", "--cov-fail-under=100"))
    yield cell("pytest-freezer", files=("test_freezer.py",))
    yield cell("time-machine", files=("test_time_machine.py",))
    yield cell("pytest-httpx", files=("test_httpx_mock.py",))


def _ways_to_run() -> Iterator[Cell]:
    off = ("-p", "no:turris")
    yield Cell(name="switched off", args=off, files=("test_switched_off.py",))
    bare = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    yield Cell(name="no autoload", args=("-p", "turris"), env=bare)
    yield Cell(name="warnings are errors", args=("-W", "error"))
    yield Cell(name="importlib mode", args=("--import-mode=importlib",))


CELLS = (*_versions(), *_plugins(), *_ways_to_run())
