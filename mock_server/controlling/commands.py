"""Builds the shell command of each control from its row."""

import os
from typing import Any

import click
from click.core import ParameterSource

from mock_server.controlling.negative import ControlCommand
from mock_server.controlling.parameters import (
    MEMBER_WORDS,
    click_parameters,
    keyword_of,
    shown_name,
)
from mock_server.controlling.rows import ControlRow, rows
from mock_server.exit_status import CONTROL_STATUSES, exit_help
from mock_server.shell.groups import SuggestingGroup
from mock_server.shell.mistakes import fail

_URL = "TURRIS_BASE_URL"
_TOKEN = "TURRIS_CONTROL_TOKEN"
_DEFAULT_URL = "http://127.0.0.1:8791"

_GROUPS = {
    "add": "Add a record: what is not given is generated.",
    "get": "Show one record.",
    "list": "List records.",
    "remove": "Remove a record, and what depends on it.",
    "update": "Change members of a record.",
}
"""What the verbs that many kinds of records share do."""


def command_names() -> dict[str, str]:
    """Return the first word of each control's command, with a sentence for the list of commands."""
    found: dict[str, str] = {}
    for row in rows():
        word = row["words"][0]
        if len(row["words"]) == 1 or word not in found:
            found[word] = _GROUPS.get(word) or row["summary"]
    return found


def first_words() -> dict[str, list[str]]:
    """Return the first words of the commands that have a second one, by that."""
    found: dict[str, list[str]] = {}
    for row in rows():
        first, *others = row["words"]
        for second in others:
            found.setdefault(second, []).append(first)
    return found


def find_command(name: str) -> click.Command | None:
    """Return the command with a first word, with all that are below it."""
    own = [row for row in rows() if row["words"][0] == name]
    if not own:
        return None
    if len(own) == 1 and len(own[0]["words"]) == 1:
        return _command(own[0], name)
    return _group(own, name)


def _group(own: list[ControlRow], name: str) -> SuggestingGroup:
    """The commands that share a first word, of which one may be that word alone."""
    alone = next((row for row in own if len(row["words"]) == 1), None)
    stream = next((row for row in own if row["streams"]), None)
    below = {" ".join(row["words"][1:]): row for row in own if len(row["words"]) > 1}
    commands = {words: _command(row, words) for words, row in below.items()}
    summary = _GROUPS.get(name) or (alone or own[0])["summary"]
    if alone is None:
        return SuggestingGroup(name, commands=commands, help=summary, no_args_is_help=False)
    first = _command(alone, name, stream)

    def run(ctx: click.Context, **given: Any) -> None:  # noqa: ANN401 - values of options
        if ctx.invoked_subcommand is None:
            ctx.invoke(first.callback, **given)  # type: ignore[arg-type]  # it has one

    return SuggestingGroup(
        name,
        commands=commands,
        params=first.params,
        epilog=first.epilog,
        callback=click.pass_context(run),
        invoke_without_command=True,
        help=summary,
    )


def _command(row: ControlRow, name: str, stream: ControlRow | None = None) -> click.Command:
    """The command of one row; ``stream`` is what ``--follow`` does instead."""
    params = click_parameters(row)
    by_word = [one for one in row["parameters"] if one["rest"]]
    if stream:
        help_ = "Go on, and print what comes, until Ctrl-C."
        params.append(click.Option(["--follow", "-f"], is_flag=True, help=help_))
    params += [*_address_options(), _json_option()]

    def run(**given: Any) -> None:  # noqa: ANN401 - values of options
        _run(row, stream if given.pop("follow", False) and stream else row, by_word, given)

    statuses = exit_help(" ".join(row["words"]), CONTROL_STATUSES)
    return ControlCommand(
        name, params=params, callback=run, help=_help(row, by_word), epilog=statuses
    )


def _run(
    listed: ControlRow, row: ControlRow, by_word: list[dict[str, Any]], given: dict[str, Any]
) -> None:
    from mock_server.controlling.client import SandboxAddress, call, follow_stream
    from mock_server.controlling.judging import end_unless_it_holds
    from mock_server.controlling.output import show, show_lines
    from mock_server.controlling.values import check_text, members_given, read_value

    address = SandboxAddress(
        url=given.pop("url").rstrip("/"), token=given.pop("token"), tenant=given.pop("tenant")
    )
    check_text("--tenant", address.tenant)
    as_json = given.pop("as_json")
    words = given.pop(MEMBER_WORDS, ())
    free = by_word[0]["name"] if len(by_word) == 1 and by_word[0]["type"] == "object" else ""
    for word in words:
        check_text(ascii(word), word)
    values = members_given(words, [] if free else by_word, free)
    for parameter in listed["parameters"]:
        value = given.get(keyword_of(parameter))
        if parameter["rest"] or value is None or value == ():
            continue
        values[parameter["name"]] = (
            read_value(parameter, value) if isinstance(value, str) else _plain(value)
        )
        check_text(shown_name(parameter), values[parameter["name"]])
    if values.get("withSecrets"):
        from mock_server.controlling.secret_output import protect_output

        protect_output()
    if row["streams"]:
        known = {one["name"] for one in row["parameters"]}
        wanted = {name: value for name, value in values.items() if name in known}
        show_lines(follow_stream(address, row, wanted), as_json=as_json)
    else:
        answer = call(address, row, values)
        show(answer, as_json=as_json)
        if row["judges"]:
            end_unless_it_holds(row["judges"], answer)


def _plain(value: Any) -> Any:  # noqa: ANN401 - the value of an option
    return list(value) if isinstance(value, tuple) else value


def with_address(command: click.Command) -> click.Command:
    """Give a command that calls a running sandbox ``--url``, ``--token`` and ``--tenant``."""
    command.params += _address_options()
    return command


def _checked_token(ctx: click.Context, param: click.Parameter, text: str) -> str:
    """Return the token of ``--token`` or the environment; end the command if it cannot be one."""
    from pytest_turris.process.control_token import ControlTokenError, checked_control_token

    is_given = ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    try:
        return checked_control_token(text, "--token" if is_given else _TOKEN)
    except ControlTokenError as error:
        fail(str(error))


def _address_options() -> list[click.Option]:
    return [
        click.Option(
            ["--url"],
            default=lambda: os.environ.get(_URL) or _DEFAULT_URL,
            metavar="URL",
            help=f"The server; ${_URL} or {_DEFAULT_URL} by default.",
        ),
        click.Option(
            ["--token"],
            default=lambda: os.environ.get(_TOKEN, ""),
            callback=_checked_token,
            metavar="TOKEN",
            help=f"Its control token; ${_TOKEN} by default.",
        ),
        click.Option(
            ["--tenant"],
            default="",
            metavar="NAME",
            help="The sandbox at the server; its own by default.",
        ),
    ]


def _json_option() -> click.Option:
    return click.Option(
        ["--json", "as_json"],
        is_flag=True,
        help="Print JSON on a terminal, too; a pipe always gets it.",
    )


def _help(row: ControlRow, by_word: list[dict[str, Any]]) -> str:
    lines = [row["summary"]]
    places = [one for one in row["parameters"] if one["positional"] and one["help"]]
    lines += [f"{shown_name(one)}: {one['help']}" for one in places]
    if by_word:
        lines.append("Members, each as MEMBER=VALUE:")
        lines.append("\b\n" + "\n".join(map(_described, by_word)))
    return "\n\n".join(lines)


def _described(parameter: dict[str, Any]) -> str:
    kind = "list" if parameter["many"] else parameter["type"]
    if parameter["choices"]:
        shown = ", ".join(map(str, parameter["choices"][:6]))
        kind = shown + (", ..." if parameter["choices"][6:] else "")
    must = ", required" if parameter["required"] else ""
    text = f"  {parameter['name']}: {kind}{must}"
    return f"{text}. {parameter['help']}" if parameter["help"] else text
