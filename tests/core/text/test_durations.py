"""Durations as text, for reasons and failures."""

import datetime as dt

import pytest

from pytest_turris.core.text.durations import moment, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (12, "12 s"),
        (0.25, "0.25 s"),
        (1.5, "1.5 s"),
        (59.999, "59.999 s"),
        (60, "1:00 min"),
        (3_612, "60:12 min"),
        (7_200, "2:00:00"),
        (176_400.5, "2 days, 1:00:00"),
        (176_400.000_005, "2 days, 1:00:00"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    """Seconds to the millisecond, minutes below two hours, then days."""
    assert span(dt.timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00.000"),
        (3_300.001, "55:00.001"),
        (7_199.999, "119:59.999"),
        (7_200, "2:00:00"),
        (-1.5, "-00:01.500"),
    ],
)
def test_moment(seconds: float, text: str) -> None:
    """Minutes, seconds and milliseconds; two hours and more as ``span`` shows them."""
    assert moment(dt.timedelta(seconds=seconds)) == text
