"""What is not observed, in the reports of other plugins: skipped, with its reason."""

import html
import json
from pathlib import Path
from typing import Any

import pytest
from doubles.attacked_project import run

LINES = (
    "from receiver import verify",
    "def test_receiver(turris_webhook_attack):",
    "    turris_webhook_attack.run(verify)",
)
REASON = "WH-02 is not observed"
WAY_OUT = "effects="


def _one_file(folder: Path, pattern: str) -> str:
    (file,) = folder.glob(pattern)
    return file.read_text(encoding="utf-8")


def test_pytest_html_shows_it_as_skipped(pytester: pytest.Pytester) -> None:
    """pytest-html counts it among the skipped, and shows what to pass."""
    run(pytester, *LINES, args=("-k", "WH-02", "--html=report.html", "--self-contained-html"))
    page = html.unescape(_one_file(pytester.path, "report.html"))
    assert "0 Passed" in page
    assert "1 Skipped" in page
    blob = page.split('data-jsonblob="', 1)[1]
    told: dict[str, Any] = json.JSONDecoder().raw_decode(blob)[0]
    ((row,),) = told["tests"].values()
    assert row["result"] == "Skipped"
    assert REASON in row["log"]
    assert WAY_OUT in row["log"]


def test_allure_shows_it_as_skipped(pytester: pytest.Pytester) -> None:
    """Allure's result has the status skipped, and what to pass for its message."""
    run(pytester, *LINES, args=("-k", "WH-02", "--alluredir=results"))
    result = json.loads(_one_file(pytester.path / "results", "*-result.json"))
    assert result["status"] == "skipped"
    assert REASON in result["statusDetails"]["message"]
    assert WAY_OUT in result["statusDetails"]["message"]
