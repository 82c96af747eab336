"""With pytest-run-parallel: a test with a sandbox has one thread, unless it is marked."""

import threading
from typing import Any

import pytest
from directory import Directory

callers: set[int] = set()


@pytest.mark.force_parallel_threads(4)
def test_marked(turris: Any) -> None:
    """Four threads share one sandbox."""
    callers.add(threading.get_ident())
    directory = Directory()
    with directory.http:
        assert directory.agents() == []


def test_not_marked(turris: Any) -> None:
    """This test would fail in four threads."""
    turris.agents.add(npn="12345678")
    directory = Directory()
    with directory.http:
        assert directory.agents() == ["12345678"]


@pytest.mark.thread_unsafe(reason="it checks what the first test did")
def test_marked_test_had_four_threads() -> None:
    """The first test ran in four threads."""
    assert len(callers) == 4
