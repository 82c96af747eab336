"""Completes values that come from a fixed set, without importing the code that makes the set."""

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import click

from pytest_turris.core.text.names import as_snake_case

NAMES_FILE = Path(__file__).parent / "names.json"
"""The names of each kind; made by ``make docs``, because their modules are slow to load."""

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


@cache
def names() -> dict[str, Any]:
    """Each kind with its names; options have their values, and events their members."""
    found: dict[str, Any] = json.loads(NAMES_FILE.read_text(encoding="utf-8"))
    return found


def one_of(kind: str, after: str = "") -> Completer:
    """A completer of the names of a kind, each followed by ``after``."""
    return lambda _ctx, _param, typed: [f"{name}{after}" for name in _like(typed, names()[kind])]


def option_of(kind: str) -> Completer:
    """A completer of ``name=value`` for a kind of options."""

    def complete(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
        name, equals, text = typed.partition("=")
        if not equals:
            return [f"{one}=" for one in _like(typed, names()[kind])]
        values: list[str] = names()[kind].get(as_snake_case(name), [])
        return [f"{name}={value}" for value in values if value.startswith(text)]

    return complete


def member_of_event(ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The members of the event that is given, or else of any."""
    events: dict[str, list[str]] = names()["events"]
    given = [one for word in ctx.params.get("words") or () for one in _like(word, events)]
    members = dict.fromkeys(one for event in given or events for one in events[event])
    return [f"{name}=" for name in members if name.startswith(typed)]


def _like(typed: str, known: Iterable[str]) -> list[str]:
    """The names that begin like this, in any case, with hyphens, underscores or capitals."""
    return [name for name in known if _plain(name).startswith(_plain(typed))]


def _plain(name: str) -> str:
    return as_snake_case(name).lower().replace("-", "_")
