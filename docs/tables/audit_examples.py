"""The code of the audit's own checks: applications that the tests audit, and careful ones."""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from doubles import drilled_clients
from doubles.scanned_examples import SCANNED

_AUDITED = Path(drilled_clients.__file__).with_name("audited")
_MARK = re.compile(r"[ ]{2}# ((?:[A-Z]{2}-\d+ ?)+)$", re.MULTILINE)
_GOOD = "good/sync_client.py"
_ID_OF_NO_LINE = {"LK-05": "leaking/shows.py", "LK-09": "leaking/shells.py"}
"""What leaks without a line of its own has no mark."""

_RIGHT = {
    "RQ-01": ("sign_in", "request"),
    "RQ-02": ("request",),
    "RQ-03": ("__init__", "request"),
    "RQ-04": ("__init__",),
    "RQ-05": ("request",),
    "RQ-06": ("request",),
    "RQ-07": ("sign_in", "request"),
    "RQ-08": ("request",),
    "RQ-09": ("request",),
    "RQ-10": ("request", "invite"),
    "RQ-11": ("request",),
    "RQ-12": ("__init__", "sign_in"),
    "RQ-13": ("sign_in", "request"),
    "RQ-14": ("add_agent",),
    "RQ-17": ("sign_in",),
}
"""The methods of the good client that hold a rule."""


def audit_examples() -> dict[str, dict[str, str]]:
    """A broken and a right example of each check, by its id."""
    found = dict(_applications())
    found |= {id_: {"broken": one.broken, "right": one.right} for id_, one in SCANNED.items()}
    clients = "drilled_clients.py"
    found["DR-1"] = {
        "broken": _members(f"../{clients}", "KeepsItsSecret"),
        "right": _members(f"../{clients}", "secret", "sign_in"),
    }
    found["DR-2"] = {
        "broken": _members(f"../{clients}", "GoesOn"),
        "right": _members(f"../{clients}", "sign_in", "agents"),
    }
    found["RQ-15"]["right"] = _replaced(
        found["RQ-15"]["broken"], "dangerously-surplus-lines", "surplus-lines"
    )
    found["RQ-16"] = {
        "broken": "key = turris.credentials.issue()  # may write, and the run only reads\n",
        "right": "key = turris.credentials.issue(permissions={'read'})\n",
    }
    return found


def _applications() -> Iterator[tuple[str, dict[str, str]]]:
    """Each check that an application breaks at a marked line; the shortest application shows it."""
    homes: dict[str, list[Path]] = {}
    for folder in ("broken", "answers", "leaking", "logging_apps"):
        for file in (_AUDITED / folder).glob("*.py"):
            for marks in _MARK.findall(file.read_text(encoding="utf-8")):
                for id_ in marks.split():
                    homes.setdefault(id_, []).append(file)
    homes |= {id_: [_AUDITED / file] for id_, file in _ID_OF_NO_LINE.items()}
    for id_, files in homes.items():
        file = min(files, key=lambda one: (not _is_home(id_, one), len(one.read_text()), one.name))
        yield id_, {"broken": _broken(file), "right": _right(id_, file)}


def _is_home(id_: str, file: Path) -> bool:
    """Whether the application is about this kind of check: others break some by the way."""
    return id_.startswith("LK") == (file.parent.name == "leaking")


def _broken(file: Path) -> str:
    name = f"{file.parent.name}/{file.name}"
    return _members(name, "request") if file.parent.name == "logging_apps" else _whole(name)


def _right(id_: str, file: Path) -> str:
    if file.parent.name == "logging_apps":
        return _members("logging_apps/records_all.py", "request")
    if file.parent.name == "answers":
        return _members("answers/tells_ids.py", "TurrisError", "list_agents")
    if file.parent.name == "leaking":
        return _whole(f"careful/{file.name}")
    return _members(_GOOD, *_RIGHT[id_]) if id_ in _RIGHT else ""


def _whole(name: str) -> str:
    """A module without its docstring and its marks."""
    source = (_AUDITED / name).read_text(encoding="utf-8")
    end = ast.parse(source).body[0].end_lineno
    return _MARK.sub("", "\n".join(source.splitlines()[end:]).strip() + "\n")


def _members(name: str, *wanted: str) -> str:
    """Functions and classes of a module by their names, in their order there."""
    source = (_AUDITED / name).read_text(encoding="utf-8")
    found = {
        node.name: ast.get_source_segment(source, node, padded=True) or ""
        for node in reversed([*ast.walk(ast.parse(source))])
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in wanted
    }
    return _MARK.sub("", "\n\n".join(textwrap.dedent(found[one]) + "\n" for one in wanted))


def _replaced(code: str, old: str, new: str) -> str:
    assert old in code  # noqa: S101 - else the right example would be the broken one
    return code.replace(old, new)
