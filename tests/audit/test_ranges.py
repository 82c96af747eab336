"""Lists of ids in few words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.audit.reports.ranges import ranges


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([], []),
        (["WH-01"], ["WH-01"]),
        (["WH-01", "WH-02"], ["WH-01", "WH-02"]),
        (["WH-03", "WH-01", "WH-02"], ["WH-01 to WH-03"]),
        (["TC-99", "TC-100", "TC-98", "WH-101"], ["TC-98 to TC-100", "WH-101"]),
    ],
)
def test_ids_in_a_row_are_one_range(ids: list[str], words: list[str]) -> None:
    """From three on; in the order of their numbers, each kind on its own."""
    assert list(ranges(ids)) == words


@given(st.sets(st.tuples(st.sampled_from(["WH", "TC"]), st.integers(1, 40))))
def test_a_range_names_each_id_once(chosen: set[tuple[str, int]]) -> None:
    """Written out, it is what it was made from."""
    found = []
    for one in ranges(f"{kind}-{number:02d}" for kind, number in chosen):
        numbers = [int(number) for number in re.findall(r"\d+", one)]
        found += [(one[:2], number) for number in range(numbers[0], numbers[-1] + 1)]
    assert len(found) == len(set(found))
    assert set(found) == chosen
