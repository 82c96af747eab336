"""The report's files: HTML, JSON, SARIF, Markdown."""

import json
from pathlib import Path

from pytest_turris.audit.reports.document import Document
from pytest_turris.audit.reports.html import html
from pytest_turris.audit.reports.markdown import markdown
from pytest_turris.audit.reports.sarif import sarif


def write_reports(document: Document, directory: Path) -> None:
    """Write the report in all forms, in place of an earlier one.

    Raises:
        OSError: The directory cannot be made, or a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("report.html", html(document)),
        ("report.json", _json(document)),
        ("report.sarif", _json(sarif(document))),
        ("report.md", markdown(document)),
    ):
        (directory / name).write_text(text, "utf-8")


def _json(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
