"""The bounds of files, functions and folders, so that each has one idea."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("pytest_turris", "mock_server")

LONGEST_FILE = 300
LONGEST_FUNCTION = 50
MOST_FILES = 12

DATA_FAMILIES = {
    "pytest_turris/attacks/families",
    "pytest_turris/conformance/probes",
    "pytest_turris/core/api/operations",
    "pytest_turris/core/resources",
    "mock_server/page/templates",
}
"""Folders with one file for each kind of the same thing."""


def sources() -> Iterator[Path]:
    """The modules of both packages."""
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def long_functions(source: str) -> list[str]:
    """The functions with more lines than allowed, decorators left out."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]


def test_a_long_function_is_found() -> None:
    """One line more is too long, also in a class and with a decorator above it."""
    body = "        pass\n" * (LONGEST_FUNCTION - 1)
    fits = f"class A:\n    @property\n    def fits(self):\n{body}"
    assert long_functions(fits) == []
    assert long_functions(fits.replace("fits", "too_long") + "        pass\n") == ["too_long"]


def test_no_file_is_long() -> None:
    """A longer one has a second idea, which gets a file of its own."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_long() -> None:
    """It fits on a screen."""
    found = {str(path.relative_to(ROOT)): long_functions(path.read_text()) for path in sources()}
    assert {name: functions for name, functions in found.items() if functions} == {}


def test_no_folder_has_many_files() -> None:
    """Sub-folders and the file that makes it a package do not count."""
    counts = {
        str(folder.relative_to(ROOT)): sum(
            one.is_file() and one.name != "__init__.py" for one in folder.iterdir()
        )
        for package in PACKAGES
        for folder in (ROOT / package, *(ROOT / package).rglob("*"))
        if folder.is_dir() and folder.name != "__pycache__"
    }
    many = {name: count for name, count in counts.items() if count > MOST_FILES}
    assert {name: count for name, count in many.items() if name not in DATA_FAMILIES} == {}
    assert set(many) >= DATA_FAMILIES


def test_the_plugin_has_one_loose_module() -> None:
    """All else has a wing."""
    loose = {path.name for path in (ROOT / "pytest_turris").glob("*.py")}
    assert loose - {"__init__.py"} == {"plugin.py"}
