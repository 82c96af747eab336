"""Numbers that a browser sends."""

from mock_server.control.wire.errors import ControlError

_MOST_DIGITS = 15


def number_in(text: str) -> int:
    """The whole number in a text.

    Raises:
        ControlError: There is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise ControlError(400, "A whole number is expected.")
    return int(text)
