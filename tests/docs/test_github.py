"""What GitHub reads: valid by its schemas, and files that link to pages which exist."""

import re
from pathlib import Path

import pytest
from check_jsonschema import main
from click.testing import CliRunner

GITHUB = Path(__file__).parents[2] / ".github"
FORMS = sorted(
    set((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) - {GITHUB / "ISSUE_TEMPLATE/config.yml"}
)


def findings(schema: str, *files: Path) -> str:
    """What the schema says against these files."""
    done = CliRunner().invoke(main, ["--builtin-schema", schema, *map(str, files)])
    return done.output if done.exit_code else ""


def test_workflows_are_valid() -> None:
    """By the schema of GitHub's workflows."""
    workflows = sorted((GITHUB / "workflows").glob("*.yml"))
    assert len(workflows) == 2
    assert not findings("vendor.github-workflows", *workflows)


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
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
