"""A signal's exception may come at any moment, as that of Ctrl-C or of a timeout plugin does."""

import contextlib
import signal
import threading
from collections.abc import Iterator

import pytest

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.undo import Undo

SIGNALS = 400
MAX_SECONDS = 10


class Interrupted(BaseException):
    """Raised by the handler of the signal."""


def interrupt(*_: object) -> None:
    """Handle the signal."""
    raise Interrupted


@pytest.fixture
def _signals() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, interrupt)
    yield
    signal.signal(signal.SIGALRM, before)


def interrupted_work(sandbox: Sandbox, seconds: float) -> None:
    """Read and change a sandbox until the signal comes."""
    with contextlib.suppress(Interrupted):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        while True:
            sandbox.limits.allowance("write")
            sandbox.limits.exhaust("write")


def other_thread_can_use(sandbox: Sandbox) -> bool:
    """Whether the lock is free, and nothing waits to be taken back."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(len(sandbox.agents)), daemon=True)
    thread.start()
    thread.join(MAX_SECONDS)
    return found == [0]


@pytest.mark.usefixtures("_signals")
def test_no_lock_stays_held() -> None:
    """Other threads go on after each of many signals, each a microsecond later."""
    sandbox = Sandbox()
    for microseconds in range(1, SIGNALS):
        interrupted_work(sandbox, microseconds / 1e6)
        assert other_thread_can_use(sandbox)


def test_what_is_taken_back_is_so_in_the_end() -> None:
    """If that is interrupted too, the next call goes on with it first."""
    undo, done, interrupts = Undo(), ["before"], [Interrupted(), None]

    def take_back() -> None:
        if error := interrupts.pop(0):
            raise error
        done.remove("change")

    def change() -> None:
        undo.step(take_back)
        done.append("change")
        raise ZeroDivisionError

    with pytest.raises(Interrupted):
        undo.run(change)
    assert undo.run(done.copy) == ["before"]
