"""How calls are made, and how their results read."""

import itertools
import threading

import anyio
import pytest
import trio
from doubles.clients.stacks import AsyncHttpx, SyncHttpx

from pytest_turris.conformance import driver
from pytest_turris.conformance.call_result import CallResult
from pytest_turris.conformance.driver import (
    STEP_TIMEOUT,
    Cancel,
    Perform,
    ProbeSteps,
    adrive,
    drive,
)
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.travel import TimeTravel


def test_hung_calls_are_waited_for_once(
    monkeypatch: pytest.MonkeyPatch, turris_time: TimeTravel
) -> None:
    """Patience is for all calls together, not for one call after the other."""
    moments = itertools.chain([0.0], itertools.repeat(STEP_TIMEOUT + 1))
    own = threading.current_thread()

    def steady_time() -> float:
        return next(moments) if threading.current_thread() is own else 0.0

    monkeypatch.setattr(driver, "steady_time", steady_time)
    go_on = threading.Event()

    def steps() -> ProbeSteps[list[CallResult]]:
        return (yield Perform((go_on.wait,) * 20, at_once=True))

    outcomes = drive(steps(), turris_time)
    go_on.set()
    assert {str(outcome) for outcome in outcomes} == {
        "TimeoutError: the call still hangs after 5 s"
    }


def test_thread_of_a_call_rests_before_the_next_step(turris_time: TimeTravel) -> None:
    """What a call's thread does late, on a busy machine, is not seen as part of the next call."""
    done: list[str] = []

    def keep_fresh() -> None:
        sum(range(300_000))
        done.append("background")
        threading.Event().wait(60)

    def steps() -> ProbeSteps[None]:
        yield Perform((lambda: threading.Thread(target=keep_fresh, daemon=True).start(),))
        done.append("next step")

    drive(steps(), turris_time)
    assert done == ["background", "next step"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_task_of_a_call_rests_before_the_next_step(backend: str, turris_time: TimeTravel) -> None:
    """The same for the tasks of an async client."""
    done: list[str] = []

    async def keep_fresh() -> None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        done.append("background")
        await anyio.sleep(60)

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def call() -> None:
                group.start_soon(keep_fresh)

            def steps() -> ProbeSteps[None]:
                yield Perform((call,))
                done.append("next step")

            await adrive(steps(), turris_time)
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    assert done == ["background", "next step"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_async_call_that_hangs_is_given_up(
    backend: str, at_once: bool, turris_time: TimeTravel
) -> None:
    """After the timeout of its step, each call that still waits has failed; others have not."""

    async def quick() -> str:
        return "done"

    def steps() -> ProbeSteps[list[CallResult]]:
        return (yield Perform((anyio.sleep_forever, quick), at_once=at_once, timeout=0.05))

    hung, done = anyio.run(adrive, steps(), turris_time, backend=backend)
    assert (type(hung.error), done.value) == (TimeoutError, "done")


def test_cancelled_tasks_of_a_call_are_no_error(turris_time: TimeTravel) -> None:
    """On trio each of them raises, and the group of these is the cancellation."""

    async def two_tasks() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await trio.sleep_forever()

    def steps() -> ProbeSteps[list[CallResult]]:
        return (yield Cancel(two_tasks, turns=5))

    (result,) = anyio.run(adrive, steps(), turris_time, backend="trio")
    assert (result.error, result.cancelled_at) == (None, None)


def test_result_shows_one_line_of_an_error() -> None:
    """Further lines of an error's text are left out."""
    assert str(CallResult(error=LookupError("no such thing\nmore: https://x"))) == (
        "LookupError: no such thing"
    )


def test_async_httpx_stack_is_async(turris: Sandbox) -> None:
    """The stacks say how they are called."""
    assert AsyncHttpx.is_async
    assert not SyncHttpx.is_async
