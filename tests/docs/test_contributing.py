"""The recipes for contributors: few files each, and each of them exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contributing.md").read_text()
MOST_FILES = {
    "an operation": 4,
    "a collection": 4,
    "an attack": 4,
    "a rule for token clients": 4,
    "a hostile answer": 4,
    "an option": 4,
    "a door": 6,
}
RECIPES = {
    title: re.findall(r"^\d+\. (.*)", text, re.MULTILINE)
    for title, text in re.findall(r"^## Add (.*?)\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
}


def test_each_recipe_is_on_the_page() -> None:
    """The page has these recipes and no others."""
    assert set(RECIPES) == set(MOST_FILES)


@pytest.mark.parametrize("name", MOST_FILES)
def test_recipe_touches_few_files(name: str) -> None:
    """Tests and the changelog included; a step names one file, or the folder that it is in."""
    steps = RECIPES[name]
    assert 0 < len(steps) <= MOST_FILES[name]
    for step in steps:
        path = re.match(r"`([^`]+)`: ", step)
        assert path, f"{step!r} does not begin with its file"
        assert (ROOT / path[1]).exists(), f"{path[1]} does not exist"
    assert steps[-1].startswith("`docs/changelog.md`")


def test_commands_exist() -> None:
    """Each ``make`` target on the page is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`make (\w+)`", PAGE)):
        assert f"\n{target}:" in makefile, f"there is no 'make {target}'"
