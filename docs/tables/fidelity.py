"""The fidelity table in Markdown, for ``docs/fidelity.md``."""

from pytest_turris.core.fidelity import FIDELITY, counted_rows


def as_markdown() -> str:
    """A row for each behaviour that a consumer can see."""
    counts = ", ".join(f"{number} {kind}" for kind, number in counted_rows().items())
    lines = [
        f"{len(FIDELITY)} rows: {counts}. A disputed row counts as assumed.",
        "",
        "| Topic | What the sandbox does | How it is known | Source | Option |",
        "|---|---|---|---|---|",
    ]
    for row in FIDELITY:
        options = ", ".join(f"`{name}`" for name in row.options) or row.no_option or "-"
        cells = (row.topic, row.what, row.provenance, row.source, options)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
