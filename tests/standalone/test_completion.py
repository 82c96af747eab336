"""Completion: each option and argument whose values are a fixed set completes them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from mock_server.controlling.rows import rows
from mock_server.shell.cli import app
from mock_server.shell.commands import COMMANDS

ROOT = Path(__file__).parents[2]
FREE = {
    "an address": (
        "--host", "--allow-host", "--public-url", "--cors-origin", "--allow", "--to", "--url",
        "--effects-url", "--against", "url",
    ),
    "a name or secret of the user": (
        "--client-id", "--client-secret", "--client-name", "--entity", "--secret-env",
        "--previous-secret-env", "--client-id-env", "--client-secret-env", "--token", "--tenant",
        "--header",
    ),
    "a command of the user": ("command", "--effects", "--failing-work", "--start"),
    "a file or a URL": ("--store",),
}  # fmt: skip
"""The options and arguments of the hand-made commands that take any text, and what it is."""
FREE_IN_CONTROLS = {
    "what is in the sandbox": (
        "id", "name", "as", "tokenId", "credential", "clientId", "webhookId", "associationId",
    ),
    "any text": ("text", "method", "url", "secret", "broken", "effectsUrl", "status", "allowed"),
}  # fmt: skip
"""The same for the controls, apart from members and filters of records."""
OF_RECORDS = ("add", "get", "list", "update", "remove")


def takes_text(parameter: click.Parameter) -> bool:
    """Whether the value is neither a switch, a number nor a file, which a shell knows itself."""
    is_flag = isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count)
    return not is_flag and isinstance(
        parameter.type, click.Choice | click.types.StringParamType | type(click.UNPROCESSED)
    )


def hand_made() -> Iterator[tuple[str, str]]:
    """Each command with each of its options and arguments that takes text of a fixed set."""
    free = {name for names in FREE.values() for name in names}
    for row in COMMANDS:
        command = app.get_command(click.Context(app), row.name)
        assert command is not None
        for parameter in filter(takes_text, command.params):
            if not free.intersection(parameter.opts):
                yield row.name, parameter.opts[0]


def of_controls() -> Iterator[tuple[str, str]]:
    """Each control with each parameter that takes text of a fixed set, unless it is a member."""
    free = {name for names in FREE_IN_CONTROLS.values() for name in names}
    for row in rows():
        for one in row["parameters"]:
            is_text = one["type"] == "text" and not one["rest"]
            is_known = bool(one["choices"]) or (
                row["words"][0] not in OF_RECORDS and one["name"] not in free
            )
            if is_text and is_known and not row["streams"]:
                places = [other for other in row["parameters"] if other["positional"]]
                before = places.index(one) if one["positional"] else 0
                shown = one["name"] if one["positional"] else one["option"]
                yield " ".join([*row["words"], *["x"] * before]), shown


def completed(command: str, parameter: str) -> list[str]:
    """What a shell offers for an empty value."""
    args = [*command.split(), *([parameter] if parameter.startswith("-") else [])]
    found = ShellComplete(app, {}, "turris-sandbox", "X").get_completions(args, "")
    return [item.value for item in found]


@pytest.mark.parametrize(("command", "parameter"), [*hand_made(), *of_controls()])
def test_a_fixed_set_of_values_completes(command: str, parameter: str) -> None:
    """A new option or argument completes, or is listed above as one that takes any text."""
    assert completed(command, parameter)


def test_there_are_fixed_sets() -> None:
    """The search finds those of hand-made commands and of controls."""
    assert ("serve", "--data") in [*hand_made()]
    assert ("faults add", "operation") in [*of_controls()]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("serve -o token_t", ["token_ttl="]),
        ("serve -o tokenT", ["token_ttl="]),
        ("serve -o rate_window=s", ["rate_window=sliding"]),
        ("serve -o webhookRetries=sv", ["webhookRetries=svix"]),
        ("serve -o retry_after=", ["retry_after=true", "retry_after=false"]),
        ("serve -o nonsense=", []),
        ("serve -o time_", []),
        ("attack -o token_t", []),
        ("attack --ignore wh-07", ["WH-07="]),
        ("trigger --scheme ST", ["standard-webhooks", "stripe"]),
        ("trigger PRODUCER_AGREEMENT_EXECUTED --set branch", ["branchName="]),
        ("trigger --set branch", ["branchName="]),
        ("explain sec-07", ["SEC-07"]),
        ("explain time_t", ["time_tick"]),
        ("hostile AR-27/mil", ["AR-27/milliseconds"]),
        ("faults add list_w", ["list_webhooks", "list_webhook_deliveries"]),
        ("options change retryAfter=t", ["retryAfter=true"]),
    ],
)  # fmt: skip
def test_values_complete(typed: str, expected: list[str]) -> None:
    """In any case and spelling, with the values of an option, and without what does nothing."""
    *args, last = typed.split()
    found = ShellComplete(app, {}, "turris-sandbox", "X").get_completions(args, last)
    assert [item.value for item in found] == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["serve", "-o", "webhook_retries", "=", "sv"], "svix"),
        (["serve", "-o", "webhook_retries", "="], "none standard svix stripe"),
        (["options", "change", "tokenTtl", "=", "5", "webhookRe"],
         "webhookReverted= webhookRetries="),
        (["serve", "--log-format", "=", "j"], "json"),
        (["serve", "-o", "signature_prefix", "=", "sha256", "=", "-o", "seed"], "seed="),
        (["serve", "--log-format", ""], "text json"),
        (["hostile", "AR-01/t"], r"AR-01/token\ 200"),
        (["hostile", r"AR-01/token\ 2"], r"AR-01/token\ 200"),
    ],
)  # fmt: skip
def test_bash_completes_values_that_it_splits_or_must_quote(
    words: list[str], expected: str, tmp_path: Path
) -> None:
    """Its words end at each ``=``, and what it puts in is code of the shell."""
    command = tmp_path / "turris-sandbox"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mock_server "$@"\n')
    command.chmod(0o700)
    script = (
        'eval "$(turris-sandbox completion bash)"; '
        'COMP_WORDS=(turris-sandbox "$@"); COMP_CWORD=$#; '
        '_turris_sandbox_completion turris-sandbox; echo "${COMPREPLY[*]}"'
    )
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["/bin/bash", "-c", script, "bash", *words],
        env=os.environ | path, capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (expected, "")


def test_completion_imports_no_models() -> None:
    """A shell waits for each answer: the names come from a file."""
    script = (
        "import sys; from mock_server.shell.cli import app\n"
        "try: app()\n"
        "finally: print(sorted({'pydantic', 'pytest_turris.core.sandbox'} & set(sys.modules)))"
    )
    for typed in ("serve -o token_t", "attack --profile q", "faults add list_", "explain WH-00"):
        asked = {"COMP_WORDS": f"turris-sandbox {typed}", "COMP_CWORD": str(len(typed.split()))}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | asked | {"_TURRIS_SANDBOX_COMPLETE": "bash_complete"},
            cwd=ROOT, capture_output=True, check=True, text=True,
        )  # fmt: skip
        assert done.stdout.endswith("[]\n"), typed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_answered(shell: str) -> None:
    """By the class of that shell, with values too."""
    asked = {
        "_TURRIS_SANDBOX_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "turris-sandbox serve --data sm",
    }
    asked["COMP_CWORD"] = "sm" if shell == "fish" else "3"
    assert "small_agency" in CliRunner().invoke(app, [], env=asked).output
