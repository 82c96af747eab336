"""Reads the values of command-line options, and reports a mistake in one line."""

import json
import os
import re
from collections.abc import Collection, Iterator
from typing import Any, NoReturn

import typer

from pytest_turris.core.option_values import OptionError
from pytest_turris.core.options import Options, option_types, parse
from pytest_turris.findings.errors import IgnoreError
from pytest_turris.findings.ignore import IgnoredChecks
from pytest_turris.receivers.egress import EgressRefused

_ALLOW_HINT = re.compile(r"pass allow=\['([^']+)'\]")


def fail(message: str) -> NoReturn:
    """Print a mistake, and exit with 2."""
    typer.echo(f"turris-sandbox: {message}", err=True)
    raise typer.Exit(2)


def fail_egress(error: EgressRefused) -> NoReturn:
    """Report a URL to which nothing may be sent, with the option that allows it."""
    fail(_ALLOW_HINT.sub(r"use --allow \1", str(error)))


def read_signing_key(variable: str) -> str:
    """Return the signing key from the environment variable that ``--secret-env`` names."""
    key = os.environ.get(variable)
    if not key:
        fail(f"no signing key: set {variable}, or name another variable with --secret-env")
    return key


def read_options(texts: list[str] | None, **fixed: Any) -> Options:  # noqa: ANN401 - options' values
    """Return the options of ``--option name=value``; ``fixed`` ones take precedence."""
    given: dict[str, Any] = {}
    try:
        for name, value in _pairs("--option", "name=value", texts):
            given[name] = parse(name, value) if name in option_types() else value
        return Options.from_layers(given, fixed)
    except OptionError as error:
        fail(f"--option: {error}")


def read_choice(flag: str, value: str, choices: Collection[str]) -> str:
    """Return the value of an option that takes one of a few values."""
    if value not in choices:
        fail(f"{flag} {value!r} is not one of {', '.join(map(repr, choices))}")
    return value


def read_members(texts: list[str] | None) -> dict[str, Any]:
    """Return the members of ``--set member=value``: JSON if the value is JSON, else a string."""
    members: dict[str, Any] = {}
    for name, value in _pairs("--set", "member=value", texts):
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        # No event has a number, and an NPN consists of digits.
        members[name] = value if type(parsed) in (int, float) else parsed
    return members


def read_ignored(texts: list[str] | None) -> IgnoredChecks:
    """Return the attacks that ``--ignore ID=reason`` leaves out, with the reasons."""
    from pytest_turris.attacks.catalogue import ATTACKS

    ignored = IgnoredChecks([attack.id for attack in ATTACKS])
    try:
        for text in texts or ():
            ignored.add_option(text)
    except IgnoreError as error:
        fail(f"--{error}")
    return ignored


def _pairs(flag: str, form: str, texts: list[str] | None) -> Iterator[tuple[str, str]]:
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            fail(f"{flag} {text!r}: write it as {form}")
        yield name, value
