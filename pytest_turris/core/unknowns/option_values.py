"""Values of options: read from text, checked against the option's type."""

import base64
import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from pytest_turris.core.errors import TurrisKitError

_BOOLEANS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
_PRINTABLE = (re.compile(r"[ -~]*"), "printable ASCII")
_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FORMS = {
    "upstream_entity_id": (
        re.compile(r"([0-9a-f]{24})?"), "an ObjectId: 24 hexadecimal digits in lower case"
    ),
    "webhooks_path": (re.compile(r"(?:/[A-Za-z0-9._~-]+)+"), "a path, such as '/v1/webhooks'"),
    "webhook_user_agent": _PRINTABLE,
    "signature_header": (re.compile(_FIELD_NAME), "the name of a header (RFC 9110, 5.1)"),
    **dict.fromkeys(
        ("signature_timestamp_header", "signature_id_header"),
        (re.compile(f"({_FIELD_NAME})?"), "the name of a header (RFC 9110, 5.1), or empty"),
    ),
    **dict.fromkeys(
        ("signature_prefix", "signature_list_separator", "signature_version"), _PRINTABLE
    ),
    "npn_lookup_member": (re.compile(r"[ -~]+"), "the name of a member"),
    "time_real_modules": (re.compile(r"[\w.\s]*"), "names of modules, separated by spaces"),
    "env_": (re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), "the name of an environment variable"),
}  # fmt: skip
"""The form of options that are text, by the name or its beginning, and how to say it."""


_MOST = 2**31 - 1


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
    """Refuse a value of the wrong type, a negative number or duration, and a huge number.

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


def check_form(name: str, value: object) -> None:
    """Refuse a text that cannot be what the option names, such as an address.

    Raises:
        OptionError: The message names the option and what it takes.
    """
    for beginning, (form, expected) in _FORMS.items():
        if name.startswith(beginning) and not form.fullmatch(str(value)):
            raise OptionError(f"turris option {name!r}: {value!r} is not {expected}")
    if name == "client_ip" and value:
        try:
            ipaddress.ip_address(str(value))
        except ValueError:
            raise OptionError(f"turris option {name!r}: {value!r} is not an IP address") from None


def check_distinct(variables: Mapping[str, str]) -> None:
    """Refuse an environment variable for two values: one of them would be lost.

    Raises:
        OptionError: The message names both options.
    """
    seen: dict[str, str] = {}
    for name, variable in variables.items():
        if (other := seen.setdefault(variable, name)) != name:
            raise OptionError(f"turris option {name!r}: {other!r} names {variable!r} too")


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
    if isinstance(value, int) and value > _MOST:
        raise OptionError(f"turris option {name!r}: {value} is too large; the maximum is {_MOST}")


def _described(kind: Any, duration: str) -> str:  # noqa: ANN401 - a type hint
    if choices := choices_of(kind):
        return "one of " + ", ".join(map(repr, choices))
    return {bool: "true or false", int: "a whole number", str: "text"}.get(kind, duration)
