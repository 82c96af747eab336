"""The Python examples of a page: each block is a test module, all of a page run in one process."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from doubles.walkthrough import snippets, steps

_PROGRAM = re.compile(r'\["(curl|node)"')
_TIMEOUT = 300
_DISTRIBUTIONS = {"rest_framework": "djangorestframework"}


def examples(page: str) -> dict[str, str]:
    """The examples of a page that can run here, by the names of their modules."""
    return {
        f"test_example_{number}": code
        for number, code in enumerate(snippets(page))
        if all(map(shutil.which, _PROGRAM.findall(code)))
    }


def outcomes(
    folder: Path, modules: Mapping[str, str], python: Path, environment: Mapping[str, str]
) -> tuple[dict[str, set[str]], str]:
    """Run modules in a process of their own.

    Args:
        folder: Where the modules go.
        modules: Their texts, by name.
        python: The interpreter, which has pytest.
        environment: The environment of the process.

    Returns:
        The outcomes of the tests of each module, and what pytest printed.
    """
    (folder / "setup.cfg").write_text("[tool:pytest]\n")  # not that of a folder above
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code)
    report = folder / "outcomes.xml"
    options = ["-q", "--continue-on-collection-errors", f"--junitxml={report}"]
    done = subprocess.run(
        [str(python), "-m", "pytest", *options],
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert report.exists(), done.stdout
    seen: dict[str, set[str]] = {name: set() for name in modules}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        name = (case.get("classname") or case.get("name") or "").partition(".")[0]
        seen[name] |= {part.tag for part in case if part.tag != "properties"} or {"passed"}
    return seen, done.stdout


def measured() -> dict[str, str]:
    """What a process needs in its environment so that coverage measures it too."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def packages(page: str) -> set[str]:
    """The packages that the Python of a page imports, without the standard library."""
    files = {Path(step.file): step.text for step in steps(page) if step.file.endswith(".py")}
    imported = {name for code in (*snippets(page), *files.values()) for name in _imports(code)}
    own = {file.stem for file in files} | {file.parts[0] for file in files}
    names = imported - own - sys.stdlib_module_names
    return {_DISTRIBUTIONS.get(name, name).replace("_", "-") for name in names}


def _imports(code: str) -> Iterable[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
