"""The table of controls: every row by its name, and by its method and path."""

import re
from collections.abc import Iterable
from functools import cache

from mock_server.control.control import Control
from mock_server.control.rows import assertions, audit, audit_proofs, faults, journal
from mock_server.control.rows.access import credentials, limits, tokens
from mock_server.control.rows.state import (
    clock,
    history,
    options,
    records,
    sandbox,
    snapshots,
    tenants,
    worlds,
)
from mock_server.control.rows.webhooks import attacks, deliveries, registered

CONTROLS: dict[str, Control] = {
    row.name: row
    for row in (
        *sandbox.ROWS,
        *snapshots.ROWS,
        *worlds.ROWS,
        *history.ROWS,
        *options.ROWS,
        *clock.ROWS,
        *journal.ROWS,
        *assertions.ROWS,
        *audit.ROWS,
        *audit_proofs.ROWS,
        *credentials.ROWS,
        *tokens.ROWS,
        *limits.ROWS,
        *faults.ROWS,
        *registered.ROWS,
        *deliveries.ROWS,
        *attacks.ROWS,
        *records.record_rows(),
        *tenants.ROWS,
    )
}
"""All rows, by noun and verb."""


@cache
def pattern_of(path: str) -> re.Pattern[str]:
    """The expression that a path of a row is, such as ``/agents/{id}``."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def at(path: str) -> Iterable[tuple[Control, dict[str, str]]]:
    """The rows at a path with the parameters in it, still percent-encoded.

    A fixed word takes precedence over a parameter, as ``/journal/stream`` does over
    ``/journal/{number}``.
    """
    found = [
        (row, match.groupdict())
        for row in CONTROLS.values()
        if (match := pattern_of(row.path).fullmatch(path))
    ]
    fewest = min((len(parameters) for _, parameters in found), default=0)
    return [(row, parameters) for row, parameters in found if len(parameters) == fewest]
