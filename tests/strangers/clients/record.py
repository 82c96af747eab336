"""The verdicts of a recorded run, which ``make verdicts`` writes and the documentation shows."""

import json
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path
from typing import Any

RECORD = Path(__file__).with_name("verdicts.json")


def from_reports(*reports: Path) -> dict[str, Any]:
    """The verdicts in JUnit reports; a later one counts more.

    Returns:
        ``correct``: by design and way, the ids of the checks by outcome, and the number of those
        that passed. ``broken``: by bug, the checks that saw it and those that did not.
    """
    verdicts: dict[tuple[str, ...], str] = {}
    for case in (each for report in reports for each in ET.parse(report).iter("testcase")):  # noqa: S314 - our own files
        found = {str(each.get("name")): str(each.get("value")) for each in case.iter("property")}
        kind = next((each for each in ("design", "bug") if each in found), "")
        if kind and "verdict" in found:
            key = (kind, found[kind], found.get("way", ""), found["check"])
            verdicts[key] = found["verdict"]
    correct: Any = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    broken: Any = defaultdict(lambda: defaultdict(list))
    for (kind, name, way, check), verdict in verdicts.items():
        rows = correct[name][way] if kind == "design" else broken[name]
        rows[verdict].append(check)
    return {"correct": _sorted(correct), "broken": _sorted(broken)}


def save(found: dict[str, Any]) -> None:
    """Write the record."""
    RECORD.write_text(json.dumps(found, indent=1) + "\n")


def load() -> dict[str, Any]:
    """The record as it is."""
    found: dict[str, Any] = json.loads(RECORD.read_text())
    return found


def _sorted(rows: Any) -> Any:
    if isinstance(rows, list):
        return sorted(rows)
    return {name: _sorted(rows[name]) for name in sorted(rows)}
