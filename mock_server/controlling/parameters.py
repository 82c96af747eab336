"""The parameters of a control's command: what click takes for those of its row."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from mock_server.controlling.rows import ControlRow
from mock_server.shell.completion.values import Completer, one_of

_TYPES: dict[str, Any] = {"whole number": int, "number": float}
_METAVARS = {"duration": "DURATION", "moment": "MOMENT", "object": "JSON", "whole number": "NUMBER"}
MEMBER_WORDS = "members"
"""The keyword of the words MEMBER=VALUE."""

_COMPLETED = {
    ("faults add", "operation"): "operations",
    ("faults hostile", "name"): "hostile_answers",
    ("faults hostile", "operation"): "operations",
    ("journal list", "operation"): "operations",
    ("webhooks attack", "attack"): "attacks",
}
"""The parameters whose values have names that the table of controls does not list."""


def click_parameters(row: ControlRow) -> list[click.Parameter]:
    """Return an argument or an option for each parameter, and one argument for all its members."""
    params: list[click.Parameter] = []
    for parameter in row["parameters"]:
        if parameter["positional"]:
            params.append(_argument(parameter, _completer(row, parameter)))
        elif not parameter["rest"]:
            params.append(_option(parameter, _completer(row, parameter)))
    by_word = [one for one in row["parameters"] if one["rest"]]
    return [*params, _members(by_word)] if by_word else params


def keyword_of(parameter: dict[str, Any]) -> str:
    """Return the keyword with which the command's function gets a parameter."""
    return f"p_{parameter['option'].strip('-').replace('-', '_')}"


def shown_name(parameter: dict[str, Any]) -> str:
    """Return a parameter as the help names it."""
    option: str = parameter["option"]
    return option.strip("-").upper() if parameter["positional"] else option


def _completer(row: ControlRow, parameter: dict[str, Any]) -> Completer | None:
    kind = _COMPLETED.get((row["name"], parameter["name"]))
    return one_of(kind) if kind else None


def _argument(parameter: dict[str, Any], completer: Completer | None) -> click.Argument:
    return click.Argument(
        [keyword_of(parameter)],
        metavar=shown_name(parameter),
        required=parameter["required"],
        type=_type(parameter),
        shell_complete=completer,
    )


def _option(parameter: dict[str, Any], completer: Completer | None) -> click.Option:
    if parameter["type"] == "switch":
        flag = parameter["option"]
        return click.Option(
            [f"{flag}/--no-{flag.strip('-')}", keyword_of(parameter)],
            default=None,
            help=parameter["help"],
        )
    many = bool(parameter["many"]) and parameter["type"] != "object"
    help_ = parameter["help"]
    default = parameter["default"]
    if default not in (None, "", 0, [], {}):
        help_ = f"{help_}  [default: {default}]".strip()
    return click.Option(
        [parameter["option"], keyword_of(parameter)],
        required=parameter["required"],
        multiple=many,
        metavar=None if parameter["choices"] else _METAVARS.get(parameter["type"]),
        type=_type(parameter),
        help=help_,
        shell_complete=completer,
    )


def _type(parameter: dict[str, Any]) -> Any:  # noqa: ANN401 - what click takes for a type
    if parameter["choices"] and all(isinstance(one, str) for one in parameter["choices"]):
        return _Choice(parameter["choices"])
    return str if parameter["many"] else _TYPES.get(parameter["type"], str)


class _Choice(click.Choice):  # type: ignore[type-arg]  # not generic in older versions
    """A choice that is completed, and that the sandbox checks: it may be a newer one."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - click's own
        """Return the value as it is."""
        del param, ctx
        return value


def _values(parameter: dict[str, Any]) -> list[Any]:
    return ["true", "false"] if parameter["type"] == "switch" else list(parameter["choices"])


def _members(by_word: list[dict[str, Any]]) -> click.Argument:
    def complete(_ctx: object, _param: object, incomplete: str) -> list[CompletionItem]:
        name, equals, text = incomplete.partition("=")
        if not equals:
            found = [f"{one['name']}=" for one in by_word]
            return [CompletionItem(word) for word in found if word.startswith(incomplete)]
        choices = next((_values(one) for one in by_word if one["name"] == name), [])
        return [CompletionItem(f"{name}={one}") for one in choices if str(one).startswith(text)]

    return click.Argument(
        [MEMBER_WORDS], nargs=-1, metavar="[MEMBER=VALUE]...", shell_complete=complete
    )
