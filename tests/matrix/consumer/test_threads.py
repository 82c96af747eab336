"""Beside pytest-run-parallel: one thread for a test with a sandbox, unless it asks for more."""

import threading
from typing import Any

import pytest
from directory import Directory

callers: set[int] = set()


@pytest.mark.force_parallel_threads(4)
def test_meant(turris: Any) -> None:
    """Four threads share a sandbox."""
    callers.add(threading.get_ident())
    directory = Directory()
    with directory.http:
        assert directory.agents() == []


def test_by_accident(turris: Any) -> None:
    """This would fail in four threads."""
    turris.agents.add(npn="12345678")
    directory = Directory()
    with directory.http:
        assert directory.agents() == ["12345678"]


@pytest.mark.thread_unsafe(reason="it looks at what the others did")
def test_threads_there_were() -> None:
    """The first test did run in four threads."""
    assert len(callers) == 4
