"""How durations and points in time are shown: ``12 s``, ``60:12 min``, ``55:00.001``."""

import datetime as dt


def span(delta: dt.timedelta) -> str:
    """A duration as text: ``12 s``, ``60:12 min``, ``2 days, 1:00:00``."""
    seconds = delta.total_seconds()
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"
    if seconds < 7_200:  # noqa: PLR2004 - two hours
        return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"
    return str(delta).partition(".")[0]


def moment(delta: dt.timedelta) -> str:
    """Minutes, seconds and milliseconds: ``55:00.001``; two hours and more as ``span`` shows it."""
    if delta < dt.timedelta(0):
        return f"-{moment(-delta)}"
    if delta >= dt.timedelta(hours=2):
        return span(delta)
    minutes, rest = divmod(delta, dt.timedelta(minutes=1))
    return f"{minutes:02d}:{rest.total_seconds():06.3f}"
