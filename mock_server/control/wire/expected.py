"""What a parameter should be, in words for any language: those of pydantic are about Python."""

from pydantic_core import ErrorDetails

from mock_server.control.models import FORMS
from pytest_turris.core.text.names import nearest
from pytest_turris.core.text.plurals import counted

_MOMENT = "a moment with a time zone, such as 2026-03-01T12:00:00Z"
_WORDS = {
    "missing": "a value: it is required",
    "string_type": "a text",
    "object_id": "an id: 24 hexadecimal digits",
    "list_type": "a list",
    "int_parsing_size": "a smaller whole number",
    "datetime_type": _MOMENT,
    "aware": _MOMENT,
    "datetime_parsing": f"{_MOMENT} ({{error}})",
    "datetime_from_date_parsing": f"{_MOMENT} ({{error}})",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("dict_type", "model_type"), "an object"),
}
"""By the type of pydantic's error, with what its context has in braces."""


def expected(row: ErrorDetails) -> tuple[str, str]:
    """Return what a parameter should be, and the nearest choice if it has some.

    Args:
        row: What pydantic says about it.
    """
    kind, context = row["type"], row.get("ctx", {})
    if kind == "literal_error":
        return _one_of(row["input"], context["expected"])
    if kind == "string_pattern_mismatch":
        return FORMS[context["pattern"]], ""
    if kind == "string_too_short":
        return f"a text with at least {counted(context['min_length'], 'character')}", ""
    if kind == "string_too_long":
        return f"a text with at most {counted(context['max_length'], 'character')}", ""
    words = _WORDS[kind].format(**context) if kind in _WORDS else row["msg"]
    return words.removeprefix("Input should be ").removeprefix("must be "), ""


def _one_of(given: object, said: str) -> tuple[str, str]:
    """The choices, and the nearest of them."""
    choices = [one.strip("'") for one in said.replace(" or ", ", ").split(", ")]
    return f"one of {', '.join(choices)}", nearest(given, choices)
