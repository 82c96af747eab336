"""The verdicts of recorded runs: each attack against the receivers made for it."""

import json
from pathlib import Path
from typing import Any

from pytest_turris.findings.verdict import Verdict

RECORD = Path(__file__).parents[1] / "attacks" / "mutations.json"


class Record:
    """Verdicts by attack, way of delivery and receiver, as they were or as they are now."""

    def __init__(self, *, writing: bool) -> None:
        self.writing = writing
        self.rows: dict[str, dict[str, Any]] = {} if writing else json.loads(RECORD.read_text())

    def take(self, row: str, receiver: str, words: str, verdict: Verdict) -> None:
        """Write a verdict down, or hold it against what is written there.

        Args:
            row: The attack, and over what it was sent.
            receiver: ``broken`` or ``good``.
            words: What the receiver does.
            verdict: What came of the attack.
        """
        found = {
            "receiver": " ".join(words.split()),
            "outcome": verdict.outcome,
            "oracles": sorted({finding.kind for finding in verdict.findings}),
        }
        if self.writing:
            self.rows.setdefault(row, {})[receiver] = found
        recorded = self.rows.get(row, {}).get(receiver)
        assert found == recorded, f"run 'make mutations' if this is right\n{verdict}"

    def save(self) -> None:
        """Write the file, if this is the run for that."""
        if self.writing:
            rows = {row: self.rows[row] for row in sorted(self.rows, key=_number_and_way)}
            RECORD.write_text(json.dumps(rows, indent=1) + "\n")


def _number_and_way(row: str) -> tuple[int, str]:
    id_, _, way = row.partition(" ")
    return int(id_.removeprefix("WH-")), way
