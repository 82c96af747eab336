"""The Python of the pages as modules of one folder, for type checkers.

Each block is a module by itself, as it is when it runs. A module that a page writes and imports
keeps its place: both get the name of the page in front.
"""

import re
from pathlib import Path

from doubles.walkthrough import snippets, steps

ROOT = Path(__file__).parents[2]
_MARK = "<!-- made by docs/pages.py -->"
"""Below it are tables, and code that has its own place in the project."""
_UNTYPED = re.compile(r"^(?:from|import) (?:django|rest_framework|behave|openpyxl)\b", re.MULTILINE)
_RELAXED = (
    "# mypy: disable-error-code=import-untyped, allow-subclassing-any, allow-untyped-decorators"
)
_STRICT = "# pyright: strict, reportMissingModuleSource=false"


def pages() -> list[Path]:
    """The pages; an example project has its own configuration."""
    found = sorted((ROOT / "docs").rglob("*.md"))
    return [ROOT / "README.md", *(page for page in found if "examples" not in page.parts)]


def is_untyped(code: str) -> bool:
    """Whether a module uses a library that has no types."""
    return bool(_UNTYPED.search(code))


def write(folder: Path) -> list[Path]:
    """Write the modules of all pages; return their files."""
    written = []
    for page in pages():
        stem = "_".join(page.relative_to(ROOT).with_suffix("").parts).replace("-", "_")
        for name, code in _modules(page.read_text().partition(_MARK)[0], stem).items():
            comment = _RELAXED if is_untyped(code) else _STRICT
            file = folder / f"{name}.py"
            file.write_text(f"{comment}\n{code}")
            written.append(file)
    return written


def _modules(page: str, stem: str) -> dict[str, str]:
    files: dict[str, str] = {}
    for step in steps(page):
        if step.file.endswith(".py"):
            name = f"{stem}_{Path(step.file).stem}"
            if name in files:  # the page replaces it further down
                files[f"{name}_before"] = files[name]
            files[name] = step.text
    blocks = {f"{stem}_{number}": code for number, code in enumerate(snippets(page))}
    own = "|".join(name.removeprefix(f"{stem}_") for name in files) or "(?!)"
    local = re.compile(rf"^from ({own}) import", re.MULTILINE)
    return {
        name: local.sub(rf"from {stem}_\1 import", code) for name, code in (files | blocks).items()
    }
