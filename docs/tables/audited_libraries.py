"""What the audits of suites with published libraries found, from the file that their run keeps."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_turris.audit.checklist import CHECKLIST

_FILE = Path(__file__).parents[1] / "explanation" / "audit-findings.json"


def as_markdown() -> str:
    """A table of all lines of the checklist, and the findings of each library."""
    data = json.loads(_FILE.read_text("utf-8"))
    libraries = data["libraries"]
    names = [f"{one['library']} {one['versions'][one['library']]}" for one in libraries]
    rows = [f"Audited on {data['date']}.", ""]
    rows += [f"| Line | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for id_, line in CHECKLIST.items():
        statuses = [one["lines"][id_] for one in libraries]
        if not line.repeats and set(statuses) != {"not observed"}:
            words = " | ".join("**violated**" if one == "violated" else one for one in statuses)
            rows.append(
                f"| [{id_}](../reference/audit-checks.md#{id_.lower()}) {line.words} | {words} |"
            )
    for name, found in zip(names, libraries, strict=True):
        rows += ["", f"## {name}", "", *_section(found)]
    return "\n".join(rows).rstrip().replace("\n\n\n", "\n\n") + "\n"


def _section(found: dict[str, Any]) -> Iterator[str]:
    rests = [f"{name} {number}" for name, number in found["versions"].items()][1:]
    yield f"With {' and '.join(rests)}."
    yield ""
    for one in found["findings"]:
        link = f"[{one['check']}](../reference/audit-checks.md#{one['check'].lower()})"
        where = f"`{one['level']}`, at `{one['place']}`"
        yield f"- {link}, {where}: {one['got']}. Shown by {_tests(one)}."
        if one["exchanges"]:
            yield ""
            yield "  ```"
            yield from (f"  {line}" for line in one["exchanges"])
            yield "  ```"
            yield ""


def _tests(one: dict[str, Any]) -> str:
    first, *others = one["tests"]
    return f"`{first}`" + (f" and {len(others)} more" if others else "")
