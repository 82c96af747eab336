"""How values are written on the page."""

import pytest

from mock_server.page.rendering import age, pretty, segment, short


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.6, "1 min 00 s"),
        (3_600, "1 h 00 min"),
        (-90, "\N{MINUS SIGN}1 min 30 s"),
        (90_000, "1 d 01 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    """In the two largest units."""
    assert age(seconds) == words


def test_bodies() -> None:
    """JSON is laid out; what is cut or something else stays as it is."""
    assert pretty('{"a":1}') == '{\n  "a": 1\n}'
    assert pretty('{"a":') == '{"a":'


def test_parts_of_addresses() -> None:
    """A text is one segment of a path, whatever is in it."""
    assert segment("../a b") == "..%2Fa%20b"
    assert short("turris_sandbox_client_a1") == "…a1"
