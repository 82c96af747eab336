"""The columns of a policy file, from the code that reads them."""

from pytest_turris.core.entity.policy_upload.policy_file import (
    AGENCY_IDENTIFIERS,
    COLUMNS,
    DOCUMENTED,
    REQUIRED,
    expected_text,
)


def as_markdown() -> str:
    """A row for each column."""
    lines = ["| Column | Needed | A cell has | Its name is |", "|---|---|---|---|"]
    for header in COLUMNS:
        known = "documented" if header in DOCUMENTED else "assumed"
        lines.append(f"| `{header}` | {_needed(header)} | {expected_text(header)} | {known} |")
    return "\n".join(lines) + "\n"


def _needed(header: str) -> str:
    if header in REQUIRED:
        return "required"
    return "one of the identifiers of an agency" if header in AGENCY_IDENTIFIERS else "optional"
