"""What the last long run against a served sandbox found."""

import json
import statistics
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "explanation" / "soak.json"
_HELD = {"memory": "memory, MiB", "threads": "threads", "descriptors": "open descriptors"}


def as_markdown() -> str:
    """A table of what the process held, early and late."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    samples, tenants = found["samples"], found["tenants"]
    fifth = len(samples) // 5
    lines = [
        f"On {found['date']}, in {samples[-1]['second'] / 60:.0f} minutes:\n",
        f"- {found['requests']:,} requests;",
        f"- {sum(tenants.values()):,} tenants, {tenants['killed']:,} left by a killed process;",
        f"- {found['webhooks']:,} webhooks;",
        f"- problems: {len(found['problems'])}.\n",
        "| What the process held | second fifth | last fifth |",
        "|---|---|---|",
    ]
    for name, words in _HELD.items():
        early, late = (
            statistics.median(one[name] for one in part)
            for part in (samples[fifth : 2 * fifth], samples[-fifth:])
        )
        lines.append(f"| {words} (median) | {early:g} | {late:g} |")
    return "\n".join(lines) + "\n"
