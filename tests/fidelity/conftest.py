"""Prints how many of the documented facts hold, of how many."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each door: ``N of N documented facts hold``."""
    held: dict[str, int] = {}
    asked: dict[str, int] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "documented facts" and report.when == "call":
                    door, good, all_of_them = value
                    held[door] = held.get(door, 0) + good
                    asked[door] = asked.get(door, 0) + all_of_them
    for door, number in sorted(asked.items()):
        terminalreporter.write_line(f"{held[door]:,} of {number:,} documented facts hold {door}")
