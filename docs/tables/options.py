"""The options with their defaults; the texts are the docstrings below their fields."""

import ast
import datetime as dt
import itertools
from dataclasses import fields
from pathlib import Path

from pytest_turris.core import options


def as_markdown() -> str:
    """A row for each option."""
    lines = ["| Option | Default | What it does |", "|---|---|---|"]
    texts = _attribute_docstrings()
    for field in fields(options.Options):
        values = options.choices(field.name)
        taken = f" One of {', '.join(f'`{value}`' for value in values)}." if values else ""
        text = texts[field.name].replace("``", "`")
        lines.append(f"| `{field.name}` | {_shown(field.default)} | {text}{taken} |")
    return "\n".join(lines) + "\n"


def _shown(default: object) -> str:
    if isinstance(default, dt.timedelta):
        return f"`{int(default.total_seconds())} s`"
    return f"`{default}`" if str(default) else "empty"


def _attribute_docstrings() -> dict[str, str]:
    tree = ast.parse(Path(options.__file__).read_text())
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    body = next(node.body for node in classes if node.name == "Options")
    return {
        attribute.target.id: " ".join(docstring.value.value.split())
        for attribute, docstring in itertools.pairwise(body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
        and isinstance(docstring.value.value, str)
    }
