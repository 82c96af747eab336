"""Built-in functions are replaced wherever they are held, and put back."""

import functools
import math
import threading
import time

import pytest

from pytest_turris.process.c_function import CFunctionError, CFunctionPatch


def test_every_holder_calls_the_replacement() -> None:
    """An alias, a partial, ``map`` and a thread call it; afterwards the function is as before."""
    alias, partial = time.monotonic, functools.partial(time.monotonic)
    seen = list[float]()
    with CFunctionPatch(time.monotonic, lambda _: lambda: 42.0):
        thread = threading.Thread(target=lambda: seen.append(alias()))
        thread.start()
        thread.join()
        assert [alias(), partial(), *seen] == [42.0] * 3
    assert alias() == pytest.approx(time.clock_gettime(time.CLOCK_MONOTONIC), abs=5)
    assert repr(time.monotonic) == "<built-in function monotonic>"


def test_original_stays_within_reach() -> None:
    """The replacement gets another object for the same function."""
    with CFunctionPatch(time.monotonic, lambda original: lambda: original() + 1e6):
        assert time.monotonic() - time.clock_gettime(time.CLOCK_MONOTONIC) > 9e5


def test_exceptions_of_the_replacement_reach_the_caller() -> None:
    """What it raises is raised where the function was called, however its arguments are passed."""

    def fail(*arguments: object) -> None:
        raise ZeroDivisionError(arguments)

    with CFunctionPatch(time.sleep, lambda _: fail), CFunctionPatch(time.gmtime, lambda _: fail):
        with pytest.raises(ZeroDivisionError, match=r"\(7,\)"):
            time.sleep(7)
        with pytest.raises(ZeroDivisionError, match=r"\(8,\)"):
            time.gmtime(8)


@pytest.mark.parametrize("function", [math.inf, lambda: 0])
def test_what_is_no_function_of_c_is_refused(function: object) -> None:
    """Another Python may keep its functions in another way: nothing is written then."""
    with pytest.raises(CFunctionError, match="use CPython"):
        CFunctionPatch(function, lambda original: original)  # type: ignore[arg-type] # on purpose
