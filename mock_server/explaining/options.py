"""Every option, explained: its docstring, its values, and what is known about its behaviour."""

import datetime as dt
from collections.abc import Collection
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from mock_server.explaining.explanation import Explanation
from pytest_turris.core import options
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.text.docs_links import page
from pytest_turris.core.text.field_docs import field_docs


def option_explanations() -> dict[str, Explanation]:
    """Each option by its name."""
    return {name: _explained(name) for name in options.option_types()}


@cache
def descriptions() -> dict[str, str]:
    """Each option with the docstring below its field, in Markdown."""
    return field_docs(options.Options)


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
            "Why it matters": _why({row.provenance for row in known}),
            "Values": ", ".join(map(repr, values)),
            "Unit": unit,
            "Default": shown_default(name) or "empty",
            "In a test": f"@pytest.mark.turris({name}={_marker_value(name)})",
            "In an ini file": f"turris_{name} = {shown_default(name)}".rstrip(),
            "On the command line": _served(name),
            "Stands for": "; ".join(f"{row.topic} ({row.provenance})" for row in known),
            "Source": "; ".join(dict.fromkeys(row.source for row in known)),
        },
        url=page("reference/options", name.replace("_", "-")),
    )


def _why(provenances: Collection[str]) -> str:
    """Why one may want another value; empty for what is about tests, not about Turris."""
    if not {"assumed", "disputed"}.isdisjoint(provenances):
        return (
            "Turris' documentation does not settle it: run your tests under each value, and see "
            "whether your code depends on what no page says."
        )
    if provenances:
        return "Turris may change it: another value shows what your code does then."
    return ""


def _marker_value(name: str) -> str:
    default = _default(name)
    if isinstance(default, dt.timedelta):
        return f"timedelta(seconds={default.total_seconds():g})"
    return repr(default)


def _served(name: str) -> str:
    """How a server is given the option; empty if only tests in pytest read it."""
    if name == "tls":
        return "turris-sandbox serve --tls"
    of_tests = name in options.READ_BY or name.startswith("fail_on_")
    return "" if of_tests else f"turris-sandbox serve -o {name}={shown_default(name)}"


def _default(name: str) -> Any:  # noqa: ANN401 - as wide as the options' types
    field = next(one for one in fields(options.Options) if one.name == name)
    assert field.default is not MISSING  # noqa: S101 - each option has a default
    return field.default
