"""The report of ``turris-sandbox attack`` as JSON; docs/reference/attack-report.schema.json."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

from mock_server.attacking.wording import worded
from pytest_turris.attacks.series.server_notes import server_line
from pytest_turris.findings.verdict import Finding, Outcome, Verdict

_SCHEMA_VERSION = 1
AS_WANTED: Final = "as wanted"
"""The outcome of an attack that found nothing, at a receiver whose effects could not be seen."""

_FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackReport:
    """What ``turris-sandbox attack`` did and found.

    Args:
        url: The receiver's URL, without user and secrets.
        profile: The profile.
        scheme: The signature scheme.
        options: The options that were given on the command line, without secrets.
        started_at: When it began.
        seconds: How long it took.
        verdicts: One for each attack of the profile, as far as there are verdicts.
        exit_status: The exit status of the command.
        cause: Why the rest was not tried; empty if all was.
        error: What went wrong besides the receiver; else empty.
        language: The receiver's language, if its answers show it; else empty.
        masked: Masks what must not be shown.
    """

    url: str
    profile: str
    scheme: str
    options: Mapping[str, object]
    started_at: dt.datetime
    seconds: float
    verdicts: tuple[Verdict, ...]
    exit_status: int
    cause: str
    error: str
    language: str
    masked: Callable[[str], str]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON data; every key is always there."""
        return {
            "schema_version": _SCHEMA_VERSION,
            "tool": {"name": "turris-sandbox", "version": version("pytest-turris")},
            "url": self.url,
            "profile": self.profile,
            "scheme": self.scheme,
            "options": dict(self.options),
            "started_at": self.started_at.isoformat(timespec="milliseconds"),
            "seconds": round(self.seconds, 3),
            "complete": not (self.cause or self.error),
            "cause": self._text(self.cause),
            "error": self.masked(self.error),
            "exit_status": self.exit_status,
            "language": self.language,
            "server": self.masked(server_line(self.verdicts)),
            "counts": dict(Counter(map(outcome_of, self.verdicts))),
            "verdicts": [self._verdict(verdict) for verdict in self.verdicts],
        }

    def write(self, file: Path) -> None:
        """Write the report to a file.

        Raises:
            OSError: It cannot be written.
        """
        file.write_text(json.dumps(self.as_json(), indent=2) + "\n", encoding="utf-8")

    def _verdict(self, verdict: Verdict) -> dict[str, Any]:
        check = verdict.check
        return {
            "id": check.id,
            "title": check.title,
            "level": check.level,
            "outcome": outcome_of(verdict),
            "reason": self._text(verdict.reason),
            "does": check.does,
            "why": self._text(check.why),
            "fix": self._text(check.fix),
            "source": check.source,
            "page": check.help_uri,
            "notes": [self._text(note) for note in verdict.notes],
            "findings": [self._finding(verdict, finding) for finding in verdict.findings],
        }

    def _finding(self, verdict: Verdict, finding: Finding) -> dict[str, str]:
        return {
            "kind": finding.kind,
            "level": finding.level,
            "sent": self.masked(finding.sent),
            "got": self.masked(finding.got),
            "expected": finding.expected,
            "why": self._text(finding.why or verdict.check.why),
            "fix": self._text(finding.fix or verdict.check.fix),
        }

    def _text(self, text: str) -> str:
        return self.masked(worded(text, self.language))


def outcome_of(verdict: Verdict) -> Outcome | Literal["as wanted"]:
    """Return a verdict's outcome; ``as wanted`` if only the effects were not seen."""
    unseen = verdict.outcome == "not observed" and not verdict.reason
    return AS_WANTED if unseen else verdict.outcome


def has_failed(verdicts: tuple[Verdict, ...]) -> bool:
    """Return whether a ``must`` failed."""
    return any(verdict.outcome == _FAILED for verdict in verdicts)
