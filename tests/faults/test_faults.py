"""An operation takes effect as a whole or not at all, at whatever line an exception ends it."""

from collections.abc import Iterator

import pytest
import time_machine

from faults.trials import Trials
from pytest_turris.core.undo import Undo

TRIALS = 100
SEEDS = 4


@pytest.fixture(autouse=True)
def still_time() -> Iterator[None]:
    """Let no time pass: the state after a repeated change is compared with that after the first."""
    with time_machine.travel("2025-03-17T10:15:45+00:00", tick=False):
        yield


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_exception_leaves_half_of_a_change(seed: int) -> None:
    """Requests, changes by a test, and time that passes; each can be done once more afterwards."""
    trials = Trials(seed)
    assert [problem for problem in (trials.one() for _ in range(TRIALS // SEEDS)) if problem] == []


def test_what_is_left_half_done_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what takes changes back, most exceptions leave something."""
    monkeypatch.setattr(Undo, "_take_back", lambda *_: None)
    trials = Trials(0)
    found = list(filter(None, (trials.one() for _ in range(20))))
    assert any("half of it took effect" in problem for problem in found)
