"""How a shot reaches a receiver, and how what comes of it is told."""

import time

import pytest
from receivers.handled import Door

from .lab import attacked


def test_attacks_run_where_there_is_no_posix_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no ``time.clock_gettime``, and receivers are tested there too."""
    monkeypatch.delattr(time, "clock_gettime")
    assert attacked("WH-02", Door).outcome == "passed"
