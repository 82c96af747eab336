"""What the sweep found in published clients, from the file that its run keeps."""

import json
from pathlib import Path

from pytest_turris.conformance.rules import RULES

_FILE = Path(__file__).parents[1] / "explanation" / "sweep-findings.json"
_WORDS = {
    "passed": "kept", "failed": "**broken**", "warned": "*advised*", "noted": "kept",
    "not observed": "-",
}  # fmt: skip


def as_markdown() -> str:
    """A table of all verdicts, and a line for each finding."""
    data = json.loads(_FILE.read_text())
    outcomes = {(found["library"], found["rule"]): found["outcome"] for found in data["verdicts"]}
    versions = data["versions"]
    lines = [f"Measured with {', '.join(f'{name} {v}' for name, v in versions.items())}.", ""]
    lines += [f"| Rule | {' | '.join(versions)} |", "|---|" + "---|" * len(versions)]
    for rule in RULES.values():
        words = [_WORDS[outcomes[name, rule.id]] for name in versions]
        if set(words) != {"-"}:
            lines.append(f"| {rule.id} {rule.title} | {' | '.join(words)} |")
    for name in versions:
        lines += ["", f"## {name} {versions[name]}", ""]
        lines += [
            f"- {found['rule']}: {found['got']}"
            for found in data["verdicts"]
            if found["library"] == name and found["requests"]
        ]
    return "\n".join(lines) + "\n"
