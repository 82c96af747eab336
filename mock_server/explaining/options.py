"""Every option, explained: its docstring, its values, and what is known about its behaviour."""

import ast
import datetime as dt
import inspect
import itertools
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any

from mock_server.explaining.explanation import Explanation
from pytest_turris.core import options
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.text.docs_links import page


def option_explanations() -> dict[str, Explanation]:
    """Each option by its name."""
    return {name: _explained(name) for name in options.option_types()}


@cache
def descriptions() -> dict[str, str]:
    """Each option with the docstring below its field, in Markdown."""
    classes = [one for one in options.Options.__mro__ if is_dataclass(one)]
    bodies = [ast.parse(inspect.getsource(one)).body[0] for one in classes]
    return {
        attribute.target.id: " ".join(docstring.value.value.split()).replace("``", "`")
        for body in bodies
        if isinstance(body, ast.ClassDef)
        for attribute, docstring in itertools.pairwise(body.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
        and isinstance(docstring.value.value, str)
    }


def shown_default(name: str) -> str:
    """The default as an ini file writes it: durations in seconds; empty for no text."""
    default = _default(name)
    if isinstance(default, dt.timedelta):
        return f"{default.total_seconds():g}"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _explained(name: str) -> Explanation:
    values = options.choices(name)
    unit = "seconds" if isinstance(_default(name), dt.timedelta) else ""
    known = [row for row in FIDELITY if name in row.options]
    return Explanation(
        name=name,
        title="an option of the sandbox",
        parts={
            "What it does": descriptions()[name],
            "Values": ", ".join(map(repr, values)),
            "Unit": unit,
            "Default": shown_default(name) or "empty",
            "In a test": f"@pytest.mark.turris({name}={_marker_value(name)})",
            "In an ini file": f"turris_{name} = {shown_default(name)}".rstrip(),
            "On the command line": f"turris-sandbox serve -o {name}={shown_default(name)}",
            "Stands for": "; ".join(f"{row.topic} ({row.provenance})" for row in known),
            "Source": "; ".join(dict.fromkeys(row.source for row in known)),
        },
        url=page("reference/options", name.replace("_", "-")),
    )


def _marker_value(name: str) -> str:
    default = _default(name)
    if isinstance(default, dt.timedelta):
        return f"timedelta(seconds={default.total_seconds():g})"
    return repr(default)


def _default(name: str) -> Any:  # noqa: ANN401 - as wide as the options' types
    field = next(one for one in fields(options.Options) if one.name == name)
    assert field.default is not MISSING  # noqa: S101 - each option has a default
    return field.default
