"""A signal's exception may come at any moment, as that of Ctrl-C or of a timeout plugin does."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

import pytest
from doubles.sandbox_client import Client
from pydantic_core import PydanticSerializationError

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.moments import iso
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


@contextlib.contextmanager
def interrupted_in_a_serializer(error: BaseException) -> Iterator[None]:
    """A block in which this comes when pydantic-core has a moment written."""

    def call(frame: FrameType, _event: str, _given: object) -> None:
        if frame.f_code is iso.__code__:
            raise error

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Interrupted()], ids=["Ctrl-C", "signal"])
def test_an_interruption_stays_one_in_a_serializer(error: BaseException) -> None:
    """As an ordinary error, which pydantic-core makes of it, it would be one of the test."""
    sandbox = Sandbox()
    sandbox.agents.add(npn="11112222")
    with pytest.raises(type(error)), interrupted_in_a_serializer(error):
        sandbox.snapshot()


def test_ctrl_c_stays_ctrl_c_while_an_answer_is_written() -> None:
    """The writer of JSON keeps no more of it than its name."""
    client = Client(Sandbox())
    client.sandbox.agents.add(npn="11112222")
    client.token()
    with pytest.raises(KeyboardInterrupt), interrupted_in_a_serializer(KeyboardInterrupt()):
        client.get("/v1/agents")
    assert client.get("/v1/agents").status == 200


def test_an_error_of_a_serializer_stays_an_error() -> None:
    """It is no interruption."""
    sandbox = Sandbox()
    sandbox.agents.add(npn="11112222")
    with (
        pytest.raises(PydanticSerializationError),
        interrupted_in_a_serializer(LookupError("no zone")),
    ):
        sandbox.snapshot()
