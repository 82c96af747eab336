"""Waits under time travel take the durations that the real ones take, and refuse the others."""

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import total_ordering
from typing import Any

import pytest
import trio

from pytest_turris.time_travel.travel import TimeTravel

HOUR = 3600


class Whole:
    """An integer of another library's."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@total_ordering
class Comparable(Whole):
    """One that can be compared, as numpy's can."""

    def __eq__(self, other: object) -> bool:
        return self.value == other

    def __gt__(self, other: int) -> bool:
        return self.value > other

    def __hash__(self) -> int:
        return self.value


class Seconds(float):
    """A float of another library's."""


def join(timeout: Any) -> None:
    """Wait for a thread that goes on until the wait is over."""
    over = threading.Lock()
    over.acquire()
    thread = threading.Thread(target=over.acquire)
    thread.start()
    try:
        thread.join(timeout)
    finally:
        over.release()


def in_asyncio(delay: Any) -> None:
    """Sleep in a task of asyncio's."""
    asyncio.run(asyncio.sleep(delay))


def in_trio(delay: Any) -> None:
    """Sleep in a task of trio's."""
    trio.run(trio.sleep, delay)


def event(timeout: Any) -> None:
    """Wait for an event that does not come."""
    threading.Event().wait(timeout)


@pytest.mark.parametrize(
    ("wait", "duration"),
    [
        (time.sleep, Whole(HOUR)),
        (time.sleep, Comparable(HOUR)),
        (time.sleep, Seconds(HOUR)),
        (event, Comparable(HOUR)),
        (event, Seconds(HOUR)),
        (join, Comparable(HOUR)),
        (join, Seconds(HOUR)),
        (in_asyncio, Fraction(HOUR)),
        (in_asyncio, Seconds(HOUR)),
        (in_trio, Fraction(HOUR)),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_duration_of_another_type_passes(
    turris_time: TimeTravel, wait: Callable[[Any], object], duration: object
) -> None:
    """It moves the clock as a number does."""
    before = turris_time.now
    wait(duration)
    passed = turris_time.now - before
    assert dt.timedelta(hours=1) <= passed < dt.timedelta(hours=1, minutes=1)


@pytest.mark.parametrize(
    "duration",
    [Whole(1), Decimal("0.01"), Fraction(1, 100), "1", float("nan"), 10**400, -1, 0],
    ids=lambda value: f"{type(value).__name__} {value!s:.8}",
)
@pytest.mark.parametrize("wait", [event, join, in_asyncio, in_trio, time.clock_gettime])
def test_what_is_refused_is_refused_under_time_travel_too(
    request: pytest.FixtureRequest, wait: Callable[[Any], object], duration: object
) -> None:
    """A duration that works in a test only would fail in production."""

    def outcome() -> type[BaseException] | None:
        try:
            wait(duration)
        except (ArithmeticError, OSError, TypeError, ValueError) as error:
            return type(error)
        return None

    really = outcome()
    request.getfixturevalue("turris_time")
    assert outcome() is really


def test_a_clock_is_found_by_any_integer(turris_time: TimeTravel) -> None:
    """The moved clock answers, and not the real one."""
    turris_time.advance(dt.timedelta(hours=5))
    moved = time.clock_gettime(Whole(time.CLOCK_REALTIME))  # type: ignore[arg-type] # typeshed asks for an int
    assert moved == pytest.approx(time.time(), abs=HOUR)
