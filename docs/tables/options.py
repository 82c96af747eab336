"""The options: a table with the docstrings below their fields, and the names in the plugin."""

import datetime as dt
import re
import textwrap
from dataclasses import fields

from mock_server.explaining.options import descriptions
from pytest_turris.core import options

_INI_NAMES = re.compile(r'(\n_INI_NAMES = """\n).*?(\n"""\n)', re.DOTALL)


def as_markdown() -> str:
    """A row for each option."""
    lines = ["| Option | Default | What it does |", "|---|---|---|"]
    for field in fields(options.Options):
        values = options.choices(field.name)
        taken = f" One of {', '.join(f'`{value}`' for value in values)}." if values else ""
        anchor = f'<a id="{field.name.replace("_", "-")}"></a>'
        text = descriptions()[field.name]
        lines.append(f"| `{field.name}` {anchor} | {_shown(field.default)} | {text}{taken} |")
    return "\n".join(lines) + "\n"


def ini_names_filled(plugin: str) -> str:
    """The plugin's source with the names of the options, which it does not import to start fast."""
    names = " ".join(field.name for field in fields(options.Options))
    lines = textwrap.fill(names, 100)
    return _INI_NAMES.sub(lambda found: f"{found[1]}{lines}{found[2]}", plugin)


def _shown(default: object) -> str:
    if isinstance(default, dt.timedelta):
        return f"`{int(default.total_seconds())} s`"
    return f"`{default}`" if str(default) else "empty"
