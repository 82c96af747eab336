"""The public names of both packages: each has one home."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

SAME_IN_A_FAMILY = {"ANSWERS", "ROUTES", "ROWS"}
"""The list that each file of a family has, and that one file gathers."""

OF_THE_COMMAND_LINE = {"learn_signature", "main", "scan"}
"""Functions named after the command that they are."""

TYPE_VARIABLES = {"C", "Model", "P", "R", "T"}


def public_names(source: str) -> Iterator[str]:
    """The names that a module defines for others."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [one.id for one in node.targets if isinstance(one, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            names = []
        yield from (name for name in names if not name.startswith("_"))


def defined_twice(sources: dict[str, str]) -> dict[str, list[str]]:
    """The names that several of these modules define."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module, source in sources.items():
        for name in set(public_names(source)):
            homes[name].append(module)
    return {name: sorted(found) for name, found in homes.items() if len(found) > 1}


def test_two_homes_are_found() -> None:
    """Of a class, a function or a value; a private name is no public one."""
    first = "class Verdict: ...\ndef judge(): ...\nKEPT: int = 1\n_T = 1\n"
    second = "async def judge(): ...\nKEPT = 2\n_T = 2\nVerdicts = 3\n"
    assert defined_twice({"a": first, "b": second}) == {"judge": ["a", "b"], "KEPT": ["a", "b"]}


def test_no_public_name_is_defined_by_two_modules() -> None:
    """Somebody who reads it in a message or in an import has one place to look it up."""
    files = [*(ROOT / "pytest_turris").rglob("*.py"), *(ROOT / "mock_server").rglob("*.py")]
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in files}
    excepted = SAME_IN_A_FAMILY | OF_THE_COMMAND_LINE | TYPE_VARIABLES
    assert {
        name: homes for name, homes in defined_twice(sources).items() if name not in excepted
    } == {}
