"""The nearest known name, for errors."""

import difflib

from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.core.text.docs_links import DOCS, page
from pytest_turris.core.text.names import did_you_mean, nearest


def test_nearest() -> None:
    """The most similar name, or nothing."""
    assert nearest("agnts", ["agents", "agencies"]) == "agents"
    assert nearest("xyz", ["agents", "agencies"]) == ""


@given(st.text("agents/v1", max_size=12), st.sets(st.text("agents/v1", max_size=12)))
def test_nearest_is_that_of_the_standard_library(name: str, known: set[str]) -> None:
    """It only compares fewer names."""
    expected = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.4)
    assert nearest(name, known, cutoff=0.4) == next(iter(expected), "")


def test_a_long_name_is_not_compared() -> None:
    """Its comparison would take seconds, and a client could ask for many."""
    assert nearest("a" * 120, ["a" * 121]) == "a" * 121
    assert nearest("a" * 121, ["a" * 121]) == ""


def test_did_you_mean() -> None:
    """The end of a message, or nothing."""
    assert did_you_mean("agnts", ["agents"]) == "; did you mean 'agents'?"
    assert did_you_mean("xyz", ["agents"]) == ""


def test_page() -> None:
    """A page of the documentation, with or without a heading."""
    assert page("reference/options") == f"{DOCS}reference/options.html"
    assert page("attacks/body", "wh-01") == f"{DOCS}attacks/body.html#wh-01"
