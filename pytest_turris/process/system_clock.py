"""The system's wall clock, even if the time of this process was moved.

Its own module, outside of ``time_travel``: by its name the moved clocks know that it asks for the
real time.
"""

import datetime as dt
import sys


def system_time() -> dt.datetime:
    """The time of the machine in UTC, even if the time of this process was moved."""
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and freezegun.freeze_factories:
        return dt.datetime.fromtimestamp(freezegun.real_time(), dt.UTC)
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return dt.datetime.fromtimestamp(time_machine.escape_hatch.time.time(), dt.UTC)
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - nothing travels, so this is it
