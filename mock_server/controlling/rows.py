"""The rows of the table of controls, as data that is read in a millisecond.

``controls.json`` is made from the table by ``make docs``: the table itself needs the whole sandbox,
and a help text must not wait for that.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

CONTROLS_FILE = Path(__file__).parent / "controls.json"

ControlRow = dict[str, Any]
"""What ``mock_server.control.description.describe`` returns for a control."""


@cache
def rows() -> tuple[ControlRow, ...]:
    """Return all rows, in the order of the table."""
    return tuple(json.loads(CONTROLS_FILE.read_text(encoding="utf-8")))


def as_json(described: list[ControlRow]) -> str:
    """Return the text of the file, one row a line."""
    return "[\n" + ",\n".join(json.dumps(row) for row in described) + "\n]\n"
