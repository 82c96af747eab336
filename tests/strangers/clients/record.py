"""The verdicts of a recorded run, which ``make verdicts`` writes and the documentation shows."""

import json
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path
from typing import Any

RECORD = Path(__file__).with_name("verdicts.json")


def from_report(report: Path) -> dict[str, Any]:
    """The verdicts in a JUnit report.

    Returns:
        ``correct``: by design and way, the ids of the checks by outcome, and the number of those
        that passed. ``broken``: by bug, the checks that saw it and those that did not.
    """
    correct: dict[str, dict[str, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(dict))
    broken: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - a file that we just wrote
        found = {each.get("name"): each.get("value") for each in case.iter("property")}
        if "design" in found:
            outcomes = correct[str(found["design"])][str(found["way"])]
            outcomes.setdefault(str(found["verdict"]), []).append(str(found["check"]))
        elif "bug" in found:
            outcomes = broken[str(found["bug"])]
            outcomes.setdefault(str(found["verdict"]), []).append(str(found["check"]))
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
