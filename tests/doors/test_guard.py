"""The guard of the real Turris: no library of the process resolves or reaches it."""

import asyncio
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest
import requests
from doubles.doors.clients import NO_VERIFY

from pytest_turris.hooks.network_guard import RealHostError, RealHostGuard

HOST = "public.api.live.turrisfi.com"

Attempt = Callable[[], object]


@pytest.fixture
def guard() -> Iterator[RealHostGuard]:
    """An installed guard."""
    guard = RealHostGuard()
    guard.install()
    yield guard
    guard.remove()


def _connect(address: tuple[str, int]) -> None:
    with socket.socket() as plain:
        plain.connect(address)


def _connect_ex(address: tuple[str, int]) -> None:
    with socket.socket() as plain:
        plain.connect_ex(address)


def _send(host: str, method: str, *before: object) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        getattr(plain, method)(*before, (host, 53))


async def _open_connection() -> None:
    await asyncio.open_connection(HOST, 443)


ATTEMPTS: dict[str, Attempt] = {
    "getaddrinfo": lambda: socket.getaddrinfo(HOST, 443),
    "getaddrinfo by keyword": lambda: socket.getaddrinfo(host=HOST, port=443),
    "getaddrinfo of bytes": lambda: socket.getaddrinfo(HOST.encode(), 443),
    "gethostbyname": lambda: socket.gethostbyname(HOST),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex(HOST),
    "create_connection": lambda: socket.create_connection((HOST, 443), timeout=1),
    "connect": lambda: _connect((HOST, 443)),
    "connect_ex": lambda: _connect_ex((HOST, 443)),
    "gethostbyaddr": lambda: socket.gethostbyaddr(HOST),
    "getaddrinfo of a bytearray": lambda: socket.getaddrinfo(bytearray(HOST.encode()), 443),  # type: ignore[arg-type] # it works
    "sendto": lambda: _send(HOST, "sendto", b""),
    "sendto with flags": lambda: _send(HOST, "sendto", b"", 0),
    "sendmsg": lambda: _send(HOST, "sendmsg", [b""], [], 0),
    "asyncio": lambda: asyncio.run(_open_connection()),
    "httpx": lambda: httpx.get(f"https://{HOST}/", verify=NO_VERIFY),
    "requests": lambda: requests.get(f"https://{HOST}/", timeout=1),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_attempt_is_stopped(guard: RealHostGuard, attempt: Attempt) -> None:
    """Whatever the library, the attempt fails with words that name the fixtures."""
    with pytest.raises(RealHostError, match=r"real Turris at .*'turris'.*'turris_server'"):
        attempt()
    assert guard.trips
    assert {trip.host for trip in guard.trips} == {HOST}


@pytest.mark.parametrize("host", ["turrisfi.com", "TURRISFI.com.", "app.live.turrisfi.com"])
def test_whole_domain_is_guarded(guard: RealHostGuard, host: str) -> None:
    """Every name under the vendor's domain counts, in any spelling."""
    with pytest.raises(RealHostError):
        socket.getaddrinfo(host, 443)


SPELLINGS = (
    "public.api.live.turrisfi\u3002com", "public.api.live.turrisfi\uff0ecom",
    "public.api.live\uff61turrisfi.com\uff0e", "turris\u00adfi.com", "turris\u200bfi.com",
    "turris\u2060fi.com", "turris\ufe0ffi.com", "turris\u034ffi.com", "turris\u180bfi.com",
    "\uff54urrisfi.com", "\u24e3urrisfi.com", "\U0001d42durrisfi.com", "turri\u017ffi.com",
    "turris\ufb01.com", "TURR\uff29SFI.com",
)  # fmt: skip


@pytest.fixture
def _no_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is resolved: a name that gets through says so."""

    def through(*_: object) -> None:
        raise AssertionError("the resolver was asked")

    for name in ("getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, through)
    for name in ("connect", "sendto"):
        monkeypatch.setattr(socket.socket, name, through)


@pytest.mark.parametrize("host", SPELLINGS)
@pytest.mark.usefixtures("_no_resolver")
def test_other_spellings_are_guarded(host: str) -> None:
    """Those that Python's codec turns into the name before it is looked up."""
    guard = RealHostGuard()
    guard.install()
    try:
        for attempt in (
            lambda: socket.getaddrinfo(host, 443),
            lambda: socket.gethostbyname(host),
            lambda: _connect((host, 443)),
            lambda: _send(host, "sendto", b""),
        ):
            with pytest.raises(RealHostError):
                attempt()
    finally:
        guard.remove()
    assert {trip.host.endswith("turrisfi.com") for trip in guard.trips} == {True}


@pytest.mark.parametrize("host", ["turr\u0131sfi.com", "m\u00fcnchen.example", "\ud800", "\u3002"])
def test_names_in_other_letters_are_left_alone(
    guard: RealHostGuard, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Whatever is in them: what is wrong with a name, the resolver says."""
    guard.remove()
    monkeypatch.setattr(socket, "gethostbyname", lambda name: f"resolved {name}")
    guard.install()
    assert socket.gethostbyname(host) == f"resolved {host}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", None, b"127.0.0.1"])
def test_other_hosts_are_left_alone(guard: RealHostGuard, host: str | bytes | None) -> None:
    """Other names are resolved as usual."""
    assert socket.getaddrinfo(host, 80)
    assert guard.trips == []


def test_similar_name_is_left_alone(guard: RealHostGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that only has the same ending passes."""
    guard.remove()
    monkeypatch.setattr(socket, "gethostbyname", lambda name: f"resolved {name}")
    guard.install()
    assert socket.gethostbyname("notturrisfi.com") == "resolved notturrisfi.com"


def test_unix_socket_is_left_alone(guard: RealHostGuard) -> None:
    """An address that is not a host and port passes."""
    with socket.socket(socket.AF_UNIX) as plain, pytest.raises(OSError, match="No such file"):
        plain.connect("/nowhere/at/all")


def test_error_is_no_os_error() -> None:
    """Clients retry or swallow an OSError; the guard's error is not one, so it gets through."""
    assert not issubclass(RealHostError, OSError)


def test_everything_is_put_back() -> None:
    """After ``remove`` the socket module is as before, also when it is called twice."""
    names = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
    before = [getattr(socket, name) for name in names]
    own = dict(vars(socket.socket))
    guard = RealHostGuard()
    guard.install()
    guard.remove()
    guard.remove()
    assert [getattr(socket, name) for name in names] == before
    assert dict(vars(socket.socket)) == own
