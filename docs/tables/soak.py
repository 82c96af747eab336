"""What the last long run against a served sandbox found."""

import json
from pathlib import Path
from typing import Any

from soak.growth import medians
from soak.process import Sample

FILE = Path(__file__).parents[1] / "explanation" / "soak.json"
_HELD = {"memory": "memory, MiB", "threads": "threads", "descriptors": "open descriptors"}


def as_markdown() -> str:
    """A table of what the process held, early and late."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    samples, tenants = [Sample(**row) for row in found["samples"]], found["tenants"]
    lines = [
        f"On {found['date']}, in {samples[-1].second / 60:.0f} minutes:\n",
        f"- {found['requests']:,} requests;",
        f"- {sum(tenants.values()):,} tenants, {tenants['killed']:,} left by a killed process;",
        f"- {found['webhooks']:,} webhooks;",
        f"- problems: {len(found['problems'])}.\n",
        "| What the process held | second fifth | last fifth |",
        "|---|---|---|",
    ]
    for name, words in _HELD.items():
        early, late = medians(samples, name)
        lines.append(f"| {words} (median) | {early:g} | {late:g} |")
    return "\n".join(lines) + "\n"
