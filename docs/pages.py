"""Make the parts of the docs that come from the code; a test keeps them equal."""

import ast
import datetime as dt
import importlib
import itertools
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from tables import operations as reference
from tables import rules as client_reference
from tables.attacks import pages as attack_pages
from tables.fidelity import as_markdown

from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.core import options
from pytest_turris.core.api.routes import OPERATIONS

DOCS = Path(__file__).parent
MARK = "<!-- made by docs/pages.py -->\n"
RECEIVERS = {
    "What all of them share": "turris_inbox.py",
    "FastAPI": "fastapi_receiver.py",
    "Flask": "flask_receiver.py",
    "Django": "django_receiver.py",
    "aiohttp": "aiohttp_receiver.py",
    "Express": "express/receiver.js",
}


def pages() -> dict[Path, str]:
    """Each page's path with its whole text as it should be."""
    made = {
        "fidelity.md": as_markdown(),
        "reference/options.md": options_table(),
        "reference/http-api.md": reference.as_markdown(OPERATIONS),
        "reference/compatibility.md": _of_the_tests("matrix.cells").as_markdown(),
        **{f"attacks/{name}.md": part for name, part in attack_pages().items()},
        "attacks/mutations.md": mutations_table(),
        "how-to/token-clients.md": token_rules(),
        "reference/token-rules.md": client_reference.rules_sections(),
        "reference/hostile-answers.md": client_reference.answers_sections(),
        "attacks/verify-webhooks.md": receivers(),
    }
    return {DOCS / name: _completed(DOCS / name, part) for name, part in made.items()}


def options_table() -> str:
    """The options with their defaults and the docstrings that stand below them."""
    lines = ["| Option | Default | What it does |", "|---|---|---|"]
    words = _attribute_docstrings()
    for field in fields(options.Options):
        default = field.default
        shown = (
            f"{int(default.total_seconds())} s" if isinstance(default, dt.timedelta) else default
        )
        choices = options.choices(field.name)
        taken = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        what = words[field.name].replace("``", "`")
        lines.append(f"| `{field.name}` | `{shown!s}` | {what}{taken} |")
    return "\n".join(lines).replace("| `` |", "| empty |") + "\n"


def mutations_table() -> str:
    """What each attack said of the receiver that is broken for it, and of a good one.

    The record is of a run of the test suite: ``make mutations``.
    """
    record = json.loads((DOCS.parent / "tests" / "attacks" / "mutations.json").read_text())
    lines = ["| Attack | Sent | The receiver that it catches | By | A good receiver |"]
    lines += ["|---|---|---|---|---|"]
    families = {attack.id: attack for attack in ATTACKS}
    for row, found in record.items():
        id_, _, way = row.partition(" ")
        attack, broken, good = families[id_], found["broken"], found["good"]
        link = f"[{attack.label}]({attack.family}.md#{attack.label.lower()})"
        caught = f"{broken['outcome']}: {', '.join(broken['oracles'])}"
        lines.append(f"| {link} | {way} | {broken['receiver']} | {caught} | {good['outcome']} |")
    return "\n".join(lines) + "\n"


def token_rules() -> str:
    """The rules, the hostile answers, and the broken client that each one catches."""
    clients = _of_the_tests("doubles.clients.registry")
    lines = ["| Id | The client that it catches |", "|---|---|"]
    caught_by = clients.BROKEN | clients.FRAGILE | clients.RAW | clients.ALSO_FRAGILE
    for name, client in caught_by.items():
        what = " ".join(client.__doc__.split()).partition(": ")[2] or client.__name__
        lines.append(f"| {name} | `{client.__name__}`: {what} |")
    caught = "\n".join(lines) + "\n"
    return (
        f"## The rules\n\n{client_reference.rules_table()}\n## The hostile answers\n\n"
        f"{client_reference.answers_table()}\n## What catches what\n\nEach good client (httpx sync "
        f"and async, requests, aiohttp) passes all; each of these is caught by its id.\n\n{caught}"
    )


def receivers() -> str:
    """The receivers of the examples, whole."""
    parts = []
    for title, name in RECEIVERS.items():
        kind = "javascript" if name.endswith(".js") else "python"
        code = (DOCS / "examples" / "receivers" / name).read_text().rstrip()
        parts.append(f"## {title}\n\n```{kind}\n{code}\n```\n")
    return "\n".join(parts)


def _of_the_tests(module: str) -> Any:  # noqa: ANN401 - a module whose names are not known here
    tests = str(DOCS.parent / "tests")
    if tests not in sys.path:
        sys.path.insert(0, tests)
    return importlib.import_module(module)


def _attribute_docstrings() -> dict[str, str]:
    tree = ast.parse(Path(options.__file__).read_text())
    body = next(
        node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Options"
    )
    found = {}
    for attribute, docstring in itertools.pairwise(body):
        if isinstance(attribute, ast.AnnAssign) and isinstance(docstring, ast.Expr):
            assert isinstance(attribute.target, ast.Name)
            assert isinstance(docstring.value, ast.Constant)
            found[attribute.target.id] = " ".join(str(docstring.value.value).split())
    return found


def _completed(page: Path, part: str) -> str:
    written = page.read_text().partition(MARK)[0]
    return f"{written}{MARK}\n{part}"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
