"""The architecture page names every wing, and every module that it names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_turris"
TEXT = (ROOT / "docs" / "architecture.md").read_text()


def _wings(folder: Path) -> list[str]:
    return [path.parent.name for path in sorted(folder.glob("*/__init__.py"))]


@pytest.mark.parametrize("wing", _wings(PACKAGE))
def test_wing_is_on_the_page(wing: str) -> None:
    """Each folder of the package has a place in the picture; all but the core have a paragraph."""
    picture, _, prose = TEXT.partition("```\n\n")
    assert re.search(rf"\b{wing}\b", picture)
    assert f"**`{wing}/`**" in prose or wing == "core"


@pytest.mark.parametrize("wing", _wings(PACKAGE / "core"))
def test_wing_of_the_core_is_on_the_page(wing: str) -> None:
    """Each folder of the core has a place in the picture and a paragraph."""
    picture, _, prose = TEXT.partition("```\n\n")
    assert re.search(rf"\b{wing}\b", picture)
    assert f"**`core/{wing}/`**" in prose


def test_modules_on_the_page_exist() -> None:
    """Each path below either package that the page names is there."""
    paths = re.findall(r"`([\w/]+/(?:\w+\.py)?)`", TEXT)
    assert paths
    packages = (PACKAGE, PACKAGE.parent / "mock_server")
    missing = [
        path
        for path in paths
        if not any(list(package.rglob(path.rstrip("/"))) for package in packages)
    ]
    assert not missing
