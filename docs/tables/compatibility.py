"""The matrix of neighbours and versions: the tests own it, ``make matrix`` runs it."""

from matrix.cells import CELLS


def as_markdown() -> str:
    """A row for each environment in which the consumer's suite runs."""
    lines = ["| Tested | Installed with | Run with | Suite |", "|---|---|---|---|"]
    for cell in CELLS:
        installed = ", ".join(f"`{name}`" for name in cell.installs) or "-"
        how = f"`{cell.how}`" if cell.how else "-"
        suite = ", ".join(f"[{name}](../../tests/matrix/consumer/{name})" for name in cell.files)
        lines.append(f"| {cell.name} | {installed} | {how} | {suite} |")
    return "\n".join(lines) + "\n"
