"""Checks are ignored with a reason: by a call, a marker, or an option of the command line."""

import pytest

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.findings.errors import IgnoreError
from pytest_turris.findings.ignore import IgnoredChecks, marker, option

KNOWN = ("WH-01", "WH-13")


@pytest.fixture
def ignored() -> IgnoredChecks:
    """The ignored attacks; TC-05 is a check of another kind."""
    return IgnoredChecks(KNOWN, others=("TC-", "AR-"))


def test_each_way_gives_the_same(ignored: IgnoredChecks) -> None:
    """The call, the marker and the option ignore a check with its reason."""
    assert ignored.reason("WH-13") == ""
    ignored.add("WH-13", "the proxy does it")
    assert ignored.reason("WH-13") == "the proxy does it"
    ignored.add_marked({"WH-13": "nearer", "TC-05": ""})
    assert (ignored.reason("WH-13"), ignored.reason("TC-05")) == ("nearer", "")
    ignored.add_option("WH-01=a=b")
    assert ignored.reason("WH-01") == "a=b"


@pytest.mark.parametrize("reason", ["", " ", None, 3])
def test_reason_is_required(ignored: IgnoredChecks, reason: object) -> None:
    """A reason is a text with something in it."""
    with pytest.raises(IgnoreError, match="ignore: WH-13 needs a reason that a reviewer can judge"):
        ignored.add("WH-13", reason)
    with pytest.raises(IgnoreError, match="WH-13 needs a reason"):
        ignored.add_marked({"WH-13": reason})


def test_unknown_check_is_an_error_with_the_nearest(ignored: IgnoredChecks) -> None:
    """A misspelt id of the own kind, and an id of no kind."""
    with pytest.raises(IgnoreError, match=r"there is no check 'WH-3'; did you mean 'WH-13'\?"):
        ignored.add("WH-3", "because")
    with pytest.raises(IgnoreError, match=r"there is no check 'XX'$"):
        ignored.add_marked({"XX": "because"})


@pytest.mark.parametrize("ids", [["WH-13"], "WH-13", None])
def test_marker_needs_a_dict(ignored: IgnoredChecks, ids: object) -> None:
    """Ids without reasons are refused, with the line to write."""
    with pytest.raises(IgnoreError, match="write a dict") as raised:
        ignored.add_marked(ids)
    assert marker("WH-13") in str(raised.value)


@pytest.mark.parametrize("text", ["WH-13", "WH-13=", "WH-13= "])
def test_option_shows_how_it_is_written(ignored: IgnoredChecks, text: str) -> None:
    """An option without a reason is refused, with what to write."""
    with pytest.raises(IgnoreError, match="needs a reason") as raised:
        ignored.add_option(text)
    assert option("WH-13") in str(raised.value)


@pytest.mark.parametrize("text", ["wh-13=fine", " WH-13 =fine"])
def test_option_takes_an_id_in_any_letters(ignored: IgnoredChecks, text: str) -> None:
    """On a command line an id is typed."""
    ignored.add_option(text)
    assert ignored.reason("WH-13") == "fine"


def test_option_does_not_repeat_an_unknown_id(ignored: IgnoredChecks) -> None:
    """What to write is said only of an id that there is."""
    with pytest.raises(IgnoreError) as raised:
        ignored.add_option("WH-14=x")
    assert str(raised.value) == "ignore: there is no check 'WH-14'; did you mean 'WH-13'?"


def test_error_is_one_of_ours_and_a_value_error() -> None:
    """Both ``except TurrisKitError`` and ``except ValueError`` work."""
    assert issubclass(IgnoreError, TurrisKitError)
    assert issubclass(IgnoreError, ValueError)
