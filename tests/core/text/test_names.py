"""The nearest known name, for errors."""

from pytest_turris.core.text.docs_links import DOCS, page
from pytest_turris.core.text.names import did_you_mean, nearest


def test_nearest() -> None:
    """The most similar name, or nothing."""
    assert nearest("agnts", ["agents", "agencies"]) == "agents"
    assert nearest("xyz", ["agents", "agencies"]) == ""


def test_did_you_mean() -> None:
    """The end of a message, or nothing."""
    assert did_you_mean("agnts", ["agents"]) == "; did you mean 'agents'?"
    assert did_you_mean("xyz", ["agents"]) == ""


def test_page() -> None:
    """A page of the documentation, with or without a heading."""
    assert page("reference/options") == f"{DOCS}reference/options.html"
    assert page("attacks/body", "wh-01") == f"{DOCS}attacks/body.html#wh-01"
