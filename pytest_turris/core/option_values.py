"""Values of options: read from text, checked against the option's type."""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from pytest_turris.core.errors import TurrisKitError

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class OptionError(TurrisKitError, ValueError):
    """An option that does not exist, or a value that it cannot take."""


def parse_value(name: str, kind: Any, text: str) -> Any:  # noqa: ANN401 - as wide as the options' types
    """Read an option's value from the text of an ini file or a shell.

    Raises:
        OptionError: The text is not a value of that type.
    """
    readers: dict[Any, Callable[[str], object]] = {
        dt.timedelta: lambda seconds: dt.timedelta(seconds=float(seconds)),
        bool: lambda word: _BOOLEANS[word.strip().lower()],
        int: int,
    }
    try:
        return readers.get(kind, str)(text)
    except (KeyError, ValueError, OverflowError):
        raise OptionError(
            f"turris option {name!r}: {text!r} is not {_described(kind, 'a number of seconds')}"
        ) from None


def check_value(name: str, kind: Any, value: object) -> None:  # noqa: ANN401 - a type hint
    """Refuse a value of the wrong type, and a negative number or duration.

    Raises:
        OptionError: The message names the option and what it takes; it never shows a secret.
    """
    choices = choices_of(kind)
    # A bool is an int to Python, but not to an option; a Secret is a str.
    fits = value in choices if choices else isinstance(value, kind)
    fits &= kind is bool or not isinstance(value, bool)
    if not fits:
        given = "the value" if name == "webhook_secret" else repr(value)
        expected = _described(kind, "a duration (datetime.timedelta)")
        raise OptionError(f"turris option {name!r}: {given} is not {expected}")
    if kind in (int, dt.timedelta) and name != "seed":
        _check_sign(name, value)


def choices_of(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a type hint
    """The values of a ``Literal`` type; empty for any other type."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def has_form(form: str, key: str) -> bool:
    """Whether a key has a form.

    Args:
        form: ``text``, which any key has; ``hex``, at least one byte in either case; or
            ``base64``, at least one byte in the standard alphabet, padded.
        key: The key, without a prefix.
    """
    if form == "text":
        return True
    try:
        decoded = base64.b64decode(key, validate=True) if form == "base64" else bytes.fromhex(key)
    except ValueError:
        return False
    return bool(decoded)


def _check_sign(name: str, value: Any) -> None:  # noqa: ANN401 - a number or a duration
    if value < type(value)():
        given = f"{value.total_seconds():g} s" if isinstance(value, dt.timedelta) else value
        raise OptionError(f"turris option {name!r}: {given} is negative; the minimum is 0")


def _described(kind: Any, duration: str) -> str:  # noqa: ANN401 - a type hint
    if choices := choices_of(kind):
        return "one of " + ", ".join(map(repr, choices))
    return {bool: "true or false", int: "a whole number", str: "text"}.get(kind, duration)
