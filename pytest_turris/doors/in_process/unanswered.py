"""What to do about a request that no sandbox answered: that depends on who answers by then."""

from collections.abc import Collection
from inspect import currentframe
from threading import current_thread

from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.doors.in_process.opening import answered_now

_CLIENTS = (
    "botocore", "http.client", "httpcore", "httplib2", "httpx", "httpx2", "niquests", "requests",
    "urllib.request", "urllib3",
)  # fmt: skip
_BETWEEN = ("pytest_httpx", "requests_mock", "responses", "vcr")
"""Libraries that replace a client's methods."""

_ASYNCIO = "a client of asyncio such as aiohttp"
"""asyncio resolves names in a thread of its own, where nothing says who asked."""

_ASK = (
    "Ask for the fixture 'turris' (httpx, httpx2 and requests are then answered in process) or "
    "'turris_server' (for any other client: point its base URL at turris_server.base_url)"
)
_SERVER = (
    "use the fixture 'turris_server', and point the client's base URL at turris_server.base_url"
)


def what_to_do(host: str, fixtures: Collection[str]) -> str:
    """What to do about an attempt, in words that fit what is active.

    Args:
        host: The name that was to be reached.
        fixtures: Those of the test.
    """
    if answered := answered_now():
        return _in_process(host, answered)
    if "turris_server" in fixtures:
        return (
            "The fixture 'turris_server' answers at another address. Fix: point the client's base "
            "URL at turris_server.base_url, or ask for the fixture 'turris' too (httpx, httpx2 and "
            "requests are then answered in process)"
        )
    return _ASK


def _in_process(host: str, answered: tuple[str, ...]) -> str:
    """What to do while a sandbox answers these libraries."""
    if host.endswith("."):
        return "No certificate names a host with a dot at its end. Fix: leave the dot out"
    if host not in HOSTS.values():
        ours = " and ".join(HOSTS.values())
        return f"The fixture 'turris' answers for {ours} only. Fix: use one of these hosts"
    called = _modules_inwards()
    client = _first_of(_CLIENTS, called)
    if client in answered:
        who = (
            _first_of(_BETWEEN, called)
            or "a mock that began later, or a door that is closed, as a warning says,"
        )
        return (
            f"{client} is answered in process, but {who} kept this request from the sandbox. Fix: "
            f"begin a mock before the fixture 'turris', or {_SERVER}"
        )
    *most, last = answered
    libraries = f"{', '.join(most)} and {last}" if most else last
    return (
        f"The fixture 'turris' answers {libraries} in process, but not {client or _unknown()}. "
        f"Fix: {_SERVER}"
    )


def _first_of(names: Collection[str], modules: Collection[str]) -> str:
    """The first of these packages to which one of the modules belongs; empty if none does."""
    return next((name for one in modules for name in names if f"{one}.".startswith(f"{name}.")), "")


def _modules_inwards() -> list[str]:
    """The modules of the current calls, the outermost first."""
    modules, frame = [], currentframe()
    while frame is not None:
        modules.append(str(frame.f_globals.get("__name__", "")))
        frame = frame.f_back
    return modules[::-1]


def _unknown() -> str:
    return _ASYNCIO if current_thread().name.startswith("asyncio_") else "this client"
