"""Support for pytest-run-parallel, which runs a test in several threads with the same fixtures.

A test that counts token requests or lists agents would see those of all threads, so tests with a
sandbox run on one thread. A test about threads uses a marker of that plugin and shares its sandbox.
"""

from collections.abc import Iterable

import pytest

_MEANT = ("force_parallel_threads", "parallel_threads_limit", "parallel_threads")
_WHY = (
    "its threads would share one Turris sandbox; if that is what it is about: "
    "@pytest.mark.force_parallel_threads(n)"
)


def mark_thread_unsafe(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Run each test once, unless it asks for threads itself."""
    if not config.pluginmanager.has_plugin("run-parallel"):
        return
    for item in items:
        if not any(item.get_closest_marker(name) for name in _MEANT):
            item.add_marker(pytest.mark.thread_unsafe(reason=_WHY))
