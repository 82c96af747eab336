"""What scanners for secrets, and reviewers, look for in a package is not in this one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.scanners import hits

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "pytest_turris", ROOT / "mock_server"]
SOURCES = [file for package in PACKAGES for file in sorted(package.rglob("*")) if file.is_file()]

FORBIDDEN = frozenset({"eval", "exec", "__import__", "system", "popen"})
SHELLS = ("mock_server/attacking/shell.py", "mock_server/attacking/started.py")
"""They run the commands that a person gives to ``attack``."""
MODULES = frozenset({"pickle", "marshal", "shelve", "yaml", "dill"})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
        (".".join(["eyJ" + "a" * 20, "eyJ" + "b" * 20, "c" * 20]), "JWT"),
        ("AKIA" + "A" * 16, "AWS key"),
        ("ghp_" + "a" * 36, "GitHub token"),
        ("sk_live_" + "a" * 24, "Stripe key"),
        ("postgresql://user:hunter2@db.example/x", "password in a URL"),
    ],
)
def test_a_secret_is_found(text: str, rule: str) -> None:
    """Each rule has a hit."""
    assert hits(text) == [rule]


def test_no_file_of_the_wheel_has_what_a_scanner_reports() -> None:
    """Or else the scans of everybody who installs it fail."""
    found = {
        str(file.relative_to(ROOT)): hits(file.read_text("utf-8", errors="replace"))
        for file in SOURCES
        if file.suffix != ".pyc"
    }
    assert {name: rules for name, rules in found.items() if rules} == {}


def executed(source: str) -> Iterator[str]:
    """What a source runs that is not its own: text as code, or data that becomes code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            if name in FORBIDDEN:
                yield name
            if any(k.arg == "shell" and getattr(k.value, "value", 0) for k in node.keywords):
                yield "shell"
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            yield str(node.module)


@pytest.mark.parametrize(
    "source",
    ["eval('1')", "import os; os.system('x')", "import pickle", "from yaml import load",
     "import subprocess; subprocess.run('x', shell=True)"],
)  # fmt: skip
def test_what_runs_text_is_found(source: str) -> None:
    """In each way."""
    assert list(executed(source))


def test_no_module_runs_text_as_code() -> None:
    """Neither evaluated, nor unpickled, nor by a shell."""
    found = {
        str(file.relative_to(ROOT)): names
        for file in SOURCES
        if file.suffix == ".py" and (names := list(executed(file.read_text())))
    }
    assert found == {name: ["shell"] for name in SHELLS}


def test_what_answers_requests_starts_no_process() -> None:
    """No module of the core, the control API, the page or the answers knows subprocess."""
    wings = [ROOT / name for name in (
        "pytest_turris/core", "mock_server/control", "mock_server/page",
        "mock_server/serving/answers",
    )]  # fmt: skip
    known = re.compile(r"^\s*(?:import|from) (?:subprocess|multiprocessing|pty)\b", re.MULTILINE)
    files = [file for wing in wings for file in wing.rglob("*.py")]
    assert files
    assert not [file for file in files if known.search(file.read_text())]
