"""How newcomer.py follows a page: each step in its turn, and what does not fit is found."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from doubles import tethered
from doubles.walkthrough import StepError, Walkthrough, as_printed, steps

from docs import newcomer
from pytest_turris.core.text.docs_links import DOCS

ROOT = Path(__file__).parents[2]


def test_there_are_steps() -> None:
    """The tutorial and the Node guide have files and commands, which the search finds."""
    for page in ("tutorial/first-integration", "how-to/node"):
        found = steps((ROOT / "docs" / f"{page}.md").read_text())
        assert {bool(step.file) for step in found} == {True, False}


def test_packages_that_a_page_does_not_name_are_found() -> None:
    """A guide says what to install, besides what comes with pytest-turris."""
    page = "```python\nimport os\nimport httpx\nfrom pydantic_settings import BaseSettings\n```\n"
    there = {"httpx", "pytest"}
    assert newcomer.unnamed(page, there) == {"pydantic-settings"}
    page += "\n```console\n$ pip install 'pydantic-settings>=2' 'pytest-turris[server]'\n```\n"
    needed = newcomer.requirements(page, "turris.whl")
    assert needed == ["pydantic-settings>=2", "turris.whl[server]"]
    assert not newcomer.unnamed(page, {*there, *needed})


def test_modules_that_a_page_writes_are_its_own() -> None:
    """They are not installed."""
    page = "`app.py`:\n\n```python\nimport flask\n```\n\n```python\nfrom app import x\n```\n"
    assert newcomer.unnamed(page, ()) == {"flask"}


def test_readme_is_short_and_reads_on_an_index() -> None:
    """Its links are absolute: an index of packages shows it without the other files."""
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) < 120
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    assert not [link for link in links if not link.startswith("https://")]
    pages = [link.removeprefix(DOCS).partition(".html")[0] for link in links if DOCS in link]
    assert not [page for page in pages if page and not (ROOT / "docs" / f"{page}.md").exists()]


@pytest.mark.parametrize(
    ("shown", "printed", "result"),
    [
        ("2 passed in 0.10s", "2 passed in 3.50s", "2 passed in 0.10s"),
        ("2 passed in 0.10s", "3 passed in 3.50s", "3 passed in 0.10s"),
        ("a\n...\nz", "a\nb\nc\nz\n", "a\n...\nz"),
        ("TC-01... - Check", "TC-02 [x] - Check", "TC-02... - Check"),
        ("2 passed", "2 failed", None),
        ("a", "a\nb", None),
    ],
)
def test_only_numbers_may_differ(shown: str, printed: str, result: str | None) -> None:
    """Another word or another line is another output."""
    assert as_printed(shown, printed) == result


def test_a_step_that_prints_something_else_fails(tmp_path: Path) -> None:
    """With the command, what it printed, and what the page shows."""
    page = "`a.txt`:\n\n```text\nhello\n```\n\n```console\n$ cat a.txt\ngoodbye\n```\n"
    run = Walkthrough(tmp_path, {"PATH": "/bin:/usr/bin"})
    with pytest.raises(StepError, match=r"(?s)cat a\.txt.*hello.*goodbye"):
        run.walk(page)


def test_what_installs_is_left_out(tmp_path: Path) -> None:
    """Unless it is asked for; then its failure is one of the page."""
    page = "```console\n$ pip install /nothing/here\n```\n"
    environment = {"PATH": "/bin:/usr/bin"}
    assert Walkthrough(tmp_path, environment).walk(page) == page
    with pytest.raises(StepError):
        Walkthrough(tmp_path, environment, installing=True).walk(page)


@pytest.mark.parametrize("signals", [1, 2], ids=["at once", "misses the first"])
def test_commands_end_with_the_test(signals: int) -> None:
    """Also if the process that entered them is killed: it is a closed pipe that ends them."""
    trap = f"got=$((got + 1)); if [ $got = {signals} ]; then echo ended; exit 7; fi"
    command = f"trap '{trap}' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [sys.executable, tethered.__file__, command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.close()
        assert process.stdout.read() == "ended\n"
    assert process.returncode == 7


def test_a_page_gets_a_free_port(tmp_path: Path) -> None:
    """What it exports as ``PORT`` is for its reader; two runs at a time need two."""
    page = "```console\n$ export PORT=3000\n$ echo port $PORT\n...\n```\n"
    run = Walkthrough(tmp_path, {"PATH": "/bin:/usr/bin"})
    assert run.walk(page) == page
    assert run.environment["PORT"] != "3000"
