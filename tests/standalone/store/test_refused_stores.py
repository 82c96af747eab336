"""A store that cannot be opened, closed or locked, and one whose tenant is gone."""

import sys
import threading

import pytest

from mock_server.serving.state import close_store
from mock_server.store import committing_lock
from mock_server.store.committing_lock import CommittingLock
from mock_server.store.errors import StoreError
from mock_server.store.leases import Leases
from mock_server.store.store import Store


def test_postgres_without_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "mock_server.store.databases.postgres", None)
    with pytest.raises(StoreError, match=r"pip install 'pytest-turris\[postgres\]'"):
        Store.open("postgresql://localhost/turris", print)


def test_a_store_that_does_not_close_is_named_in_the_log() -> None:
    """The server ends anyway."""

    class Full:
        def close(self) -> None:
            raise StoreError("the disk is full")

    log: list[str] = []
    close_store(Full(), log.append)  # type: ignore[arg-type] # stands in for a store
    assert log == ["the disk is full"]


def test_a_lock_that_is_held_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is refused, and nothing is begun; the lock is free afterwards."""
    monkeypatch.setattr(committing_lock, "_WAIT", 0.01)
    begun: list[int] = []
    inner = threading.RLock()
    lock = CommittingLock(inner, lambda: begun.append(1), lambda: None)
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with inner:
            held.set()
            free.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    with pytest.raises(StoreError, match="another request has held the sandbox"), lock:
        pass
    free.set()
    thread.join()
    assert begun == []
    with lock:
        assert begun == [1]


def test_a_lease_that_is_another_servers() -> None:
    """It is neither renewed nor released, until it has ended."""
    leases = Leases("one", 60)
    leases.begin(0)
    assert leases.take(1)
    leases._owner = "two"
    assert not (leases.take(1))
    assert not (leases.renew(1))
    assert not (leases.release(1))
    leases.begin(61)
    assert leases.take(1)
    assert leases.release(1)
    assert not leases.release(1)
