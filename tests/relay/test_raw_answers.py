"""Raw answers that a shared server asks for, part by part."""

from pytest_turris.core.faults.hostile.raw import RawAnswer
from pytest_turris.relay.client import _RawStream


def test_long_pause_comes_in_steps() -> None:
    """So the test can hang up in between; the steps add up to the pause."""
    script = _RawStream(RawAnswer([b"begin", 2.0, b"end"]))
    parts = [script.go_on() for _ in range(4)]
    while parts[-1] != {"part": "end"}:
        parts.append(script.go_on())
    pauses = [part["part"] for part in parts[1:-1]]
    assert parts[0] == {"part": "begin"}
    assert len(pauses) > 1
    assert sum(pauses) == 2.0


def test_answer_that_the_test_stops() -> None:
    """After a hang-up nothing more is written."""
    answer = RawAnswer([b"never"])
    answer.stopped = True
    assert _RawStream(answer).go_on() == {"stopped": True}
